import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';

import { HOME } from '../lib/home';
import { type Manifest, readManifests } from '../lib/manifest';
import { RemediationStack } from '../lib/remediation-stack';
import { parseSettings } from '../lib/settings';

export const STATE_MACHINE = 'arn:aws:states:ap-northeast-1:123456789012:stateMachine:ai';
export const SECRET = 'arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:app/db-AbC123';

/** The least that an installation has to set. */
export const LEAST = { stateMachineArn: STATE_MACHINE, databaseSecretArn: SECRET };

/** The manifests made for the tests, which don't change with the product, and the product's own. */
export const FIXTURES = join(HOME, 'test/functions');
export const PRODUCT = join(HOME, '../functions');

/** Five applications, each with its profile. */
export const PROFILES = join(HOME, '../tests/profiles');
/** The state machines of one of them, and the settings to look after it. */
export const INGEST = 'arn:aws:states:ap-northeast-1:000000000000:stateMachine:ingest-*';
export const INGEST_SETTINGS = {
  stateMachineArn: INGEST.replace('ingest-*', 'other'),
  applicationProfile: join(PROFILES, 'archive-ingest/application.toml'),
};

/** A folder that is gone after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'infra-'));
  after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A copy of the fixtures that a test may change. */
export function copiedFixtures(): string {
  const folder = temporaryFolder();
  cpSync(FIXTURES, folder, { recursive: true });
  return folder;
}

/** A folder as cargo-lambda leaves it, for these functions. */
export function built(names: readonly string[]): string {
  const folder = temporaryFolder();
  for (const name of names) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'bootstrap'), '#!/bin/sh\n', { mode: 0o755 });
  }
  return folder;
}

export interface Made {
  readonly app: App;
  readonly stack: RemediationStack;
  readonly manifests: readonly Manifest[];
}

/** The stack of the manifests in `functionsDir`, with these settings over the least. */
export function make(functionsDir = FIXTURES, settings: Record<string, unknown> = {}): Made {
  const manifests = readManifests(functionsDir);
  const codeDir = built(manifests.map(({ name }) => name));
  const app = new App({ outdir: temporaryFolder() });
  const stack = new RemediationStack(app, 'Remediation', {
    settings: parseSettings({ ...LEAST, codeDir, functionsDir, ...settings }, HOME),
    manifests,
  });
  return { app, stack, manifests };
}

/** The same, synthesized. */
export function template(functionsDir = FIXTURES, settings: Record<string, unknown> = {}): Template {
  return Template.fromStack(make(functionsDir, settings).stack);
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, any>;
  readonly DependsOn?: string[];
}

/** All resources of a type, by logical name. */
export function resources(from: Template, type: string): [string, Resource][] {
  return Object.entries(from.findResources(type)) as [string, Resource][];
}

/** The only resource of a type that `matches`, with its logical name. */
export function only(
  from: Template, type: string, matches: (properties: Record<string, any>) => boolean = () => true,
): Resource & { readonly name: string } {
  const found = resources(from, type).filter(([, { Properties }]) => matches(Properties));
  const [first, ...others] = found;
  if (first === undefined || others.length > 0) {
    throw new Error(`${found.length} resources of type ${type} match, not one`);
  }
  return { name: first[0], ...first[1] };
}
