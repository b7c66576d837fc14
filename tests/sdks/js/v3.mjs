// aws-sdk-js v3 on a profile: one client, a signed call for each line of stdin, one line of stdout for each.
import { createInterface } from "node:readline";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const client = new STSClient({});
for await (const _ of createInterface({ input: process.stdin })) {
  try {
    console.log("done", (await client.send(new GetCallerIdentityCommand({}))).Arn);
  } catch (error) {
    console.log("failed", error.name, String(error.message).replace(/\s+/g, " ").trim());
  }
}
