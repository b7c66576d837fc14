//! Asking a bundle. One evaluator for every question and for deciding an old one again.
//! Any error is a refusal: Cedar itself skips a policy that fails, so that a forbid that fails would open.

use cedar_policy::{Authorizer, Context, Decision as Verdict, Entities, EntityUid, Request, Response};
use serde_json::{Value, json};

use super::bundle::Bundle;
use super::entities::inputs;
use super::question::{Decision, Question, Reason};
use super::schema::schema;

/// What `bundle` answers to `question`.
pub fn decide(bundle: &Bundle, question: &Question<'_>) -> Decision {
    replay(bundle, inputs(question))
}

/// What `bundle` answers to the `inputs` of an earlier [`Decision`]. With the bundle that made it: the same.
pub fn replay(bundle: &Bundle, mut inputs: Value) -> Decision {
    let answer = evaluate(bundle, &inputs);
    if let Some(inputs) = inputs.as_object_mut() {
        inputs.insert("bundle".to_owned(), json!(bundle.hash()));
    }
    let (allowed, reasons, errors) = match answer {
        Ok(response) => judged(bundle, &response),
        Err(error) => (false, Vec::new(), vec![error]),
    };
    Decision {
        allowed,
        reasons,
        errors,
        inputs,
    }
}

/// Cedar's own answer, or why it could not be asked.
fn evaluate(bundle: &Bundle, inputs: &Value) -> Result<Response, String> {
    let schema = schema();
    let part = |name: &str| inputs.get(name).cloned().unwrap_or_default();
    let uid = |name: &str| EntityUid::from_json(part(name)).map_err(|error| format!("{name}: {error}"));
    let action = uid("action")?;
    let context = Context::from_json_value(part("context"), Some((schema, &action)))
        .map_err(|error| format!("context: {error}"))?;
    let entities =
        Entities::from_json_value(part("entities"), Some(schema)).map_err(|error| format!("entities: {error}"))?;
    let request = Request::new(uid("principal")?, action, uid("resource")?, context, Some(schema))
        .map_err(|error| format!("question: {error}"))?;
    Ok(Authorizer::new().is_authorized(&request, bundle.policies(), &entities))
}

fn judged(bundle: &Bundle, response: &Response) -> (bool, Vec<Reason>, Vec<String>) {
    let errors: Vec<String> = response.diagnostics().errors().map(ToString::to_string).collect();
    let permitted = match response.decision() {
        Verdict::Allow => true,
        Verdict::Deny => false,
    };
    // what permitted is no reason for the refusal that an error makes of it
    if permitted && !errors.is_empty() {
        return (false, Vec::new(), errors);
    }
    let mut reasons: Vec<Reason> = response
        .diagnostics()
        .reason()
        .map(|policy| {
            let policy: &str = policy.as_ref();
            Reason {
                policy: policy.to_owned(),
                advice: bundle.advice(policy).map(str::to_owned),
            }
        })
        .collect();
    reasons.sort_by(|a, b| a.policy.cmp(&b.policy));
    (permitted, reasons, errors)
}
