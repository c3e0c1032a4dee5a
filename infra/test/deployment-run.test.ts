import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';

import { HOME } from '../lib/home';
import { temporaryFolder } from './support';

/** Stands in for AWS's client, which Lambda brings along: notes the call, and answers as `result` says. */
function botocore(result: string): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'botocore'));
  writeFileSync(join(folder, 'botocore/__init__.py'), '');
  writeFileSync(join(folder, 'botocore/config.py'), 'def Config(**options):\n    return options\n');
  writeFileSync(join(folder, 'botocore/session.py'), `
import io, json, sys

class Client:
    def __init__(self, config):
        self.config = config

    def invoke(self, **call):
        print(json.dumps(call | self.config), file=sys.stderr)
        return ${result}

class get_session:
    def create_client(self, service, config):
        return Client(config)
`);
  return folder;
}

/** What CloudFormation is answered, and what the step was called with. */
async function run(requestType: string, result = '{"Payload": io.BytesIO(b"{}")}'): Promise<{ answer: any; called: string }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const event = {
    RequestType: requestType,
    ResponseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`,
    StackId: 'stack',
    RequestId: 'request',
    LogicalResourceId: 'Run',
    ResourceProperties: { FunctionName: 'remediation-migrate', Event: '{"all":true}', TimeoutSeconds: '120' },
  };
  const answered = once(server, 'request').then(async ([request, response]) => {
    const answer = await json(request);
    response.end();
    return answer;
  });
  const script = 'import importlib, json, sys; importlib.import_module("deployment-run").handler(json.loads(sys.argv[1]), None)';
  const python = spawn('python3', ['-B', '-c', script, JSON.stringify(event)], {
    cwd: join(HOME, 'lib'),
    env: { ...process.env, PYTHONPATH: botocore(result) },
    timeout: 20_000,
  });
  let called = '';
  python.stderr.on('data', (chunk) => {
    called += chunk;
  });
  const ended = once(python, 'close').then(([code]) => assert.equal(code, 0, called));
  try {
    const [answer] = await Promise.all([answered, ended]);
    return { answer, called };
  } finally {
    server.close();
  }
}

const IDS = { StackId: 'stack', RequestId: 'request', LogicalResourceId: 'Run', PhysicalResourceId: 'Run' };

test('a run that goes well lets the deployment go on', async () => {
  const { answer, called } = await run('Create');
  assert.deepEqual(answer, { Status: 'SUCCESS', ...IDS });
  assert.deepEqual(JSON.parse(called), {
    FunctionName: 'remediation-migrate', Payload: '{"all":true}', read_timeout: 120, retries: { total_max_attempts: 1 },
  });
});

test("a run that fails fails the deployment, with the step's own words", async () => {
  const result = `{"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorMessage": "no database"}')}`;
  const { answer } = await run('Create', result);
  assert.deepEqual(answer, { Status: 'FAILED', Reason: 'remediation-migrate: {"errorMessage": "no database"}', ...IDS });
});

test('a step that cannot be called fails the deployment', async () => {
  const { answer } = await run('Create', '1 / 0');
  assert.deepEqual(answer, { Status: 'FAILED', Reason: 'division by zero', ...IDS });
});

test('a stack that is deleted runs nothing', async () => {
  const { answer, called } = await run('Delete');
  assert.deepEqual([answer.Status, called], ['SUCCESS', '']);
});
