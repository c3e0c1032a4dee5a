import { App } from 'aws-cdk-lib';

import { HOME } from '../lib/home';
import { readManifests } from '../lib/manifest';
import { RemediationStack } from '../lib/remediation-stack';
import { readSettings } from '../lib/settings';

try {
  const app = new App();
  const settings = readSettings(app.node, HOME);
  new RemediationStack(app, settings.stackName, { settings, manifests: readManifests(settings.functionsDir) });
  app.synth();
} catch (error) {
  // What is wrong is in the message; where in this program it was noticed helps nobody.
  console.error((error as Error).message);
  process.exitCode = 1;
}
