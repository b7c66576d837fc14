-- Approvers are shown what the person had on this target before.
CREATE INDEX grants_activated ON grants (beneficiary_id, target, activated_at);
