// aws-sdk-js v2 on a profile: one client, a signed call for each line of stdin, one line of stdout for each.
const { createInterface } = require("node:readline");
process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = "1";
const AWS = require("aws-sdk");

// It knows neither AWS_ENDPOINT_URL nor, without AWS_SDK_LOAD_CONFIG, ~/.aws/config.
const client = new AWS.STS({ endpoint: process.env.AWS_ENDPOINT_URL });
(async () => {
  for await (const _ of createInterface({ input: process.stdin })) {
    try {
      console.log("done", (await client.getCallerIdentity({}).promise()).Arn);
    } catch (error) {
      console.log("failed", error.code, String(error.message).replace(/\s+/g, " ").trim());
    }
  }
})();
