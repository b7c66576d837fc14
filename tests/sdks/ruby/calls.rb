# aws-sdk-core (with sts) on a profile: one client, a signed call for each line of stdin, one line of stdout for each.
require 'aws-sdk-core'

# The version that Debian 12 has does not know AWS_ENDPOINT_URL.
client = nil
$stdout.sync = true
$stdin.each_line do
  client ||= Aws::STS::Client.new(endpoint: ENV.fetch('AWS_ENDPOINT_URL'))
  puts "done #{client.get_caller_identity.arn}"
rescue StandardError => e
  puts "failed #{e.class} #{e.message.split.join(' ')}"
end
