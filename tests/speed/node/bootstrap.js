// A Node function of the same job, as far as its start goes: it loads the clients, makes them, and asks for its first event.
const { CloudWatchLogsClient } = require("@aws-sdk/client-cloudwatch-logs");
const { LambdaClient } = require("@aws-sdk/client-lambda");
const { SFNClient } = require("@aws-sdk/client-sfn");
const { Client } = require("pg");
const http = require("node:http");

const kept = [new CloudWatchLogsClient({}), new LambdaClient({}), new SFNClient({}), new Client(process.env.DATABASE_URL)];

const runtime = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next`;
http.get(runtime, () => kept.length);
