import {readdir, readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {Ajv} from 'ajv';
import test from 'ava';
import {asyncApiDocument, contractFiles} from '#appliance/contract/fleet/asyncapi-document.ts';
import {type ContractSchemaName, contractSchemas, jsonSchemaOf} from '#appliance/contract/fleet/contract-schemas.ts';
import {boxTopicNames, fleetTopicNames} from '#appliance/contract/fleet/topic.ts';

const directory = fileURLToPath(new URL('../../../../appliance/contract/fleet', import.meta.url));

/** Formats are zod's own and only annotate; `strict` is about style. */
const createValidator = (): Ajv => new Ajv({strict: false, validateFormats: false, allErrors: true});

test('the committed AsyncAPI document and JSON Schemas are what the schemas say (else: ./streamverse contract)', async (t) => {
	for (const [name, text] of contractFiles()) {
		t.is(await readFile(path.join(directory, name), 'utf8'), text, name);
	}
	const committed = await readdir(path.join(directory, 'schema'));
	t.deepEqual(
		committed.map((name) => `schema/${name}`).sort(),
		[...contractFiles().keys()].filter((name) => name !== 'asyncapi.json').sort(),
		'no file is left of a schema that is gone',
	);
});

test('the document is AsyncAPI 3 by AsyncAPI’s own schema', (t) => {
	const require = createRequire(import.meta.url);
	const validator = createValidator();
	const validate = validator.compile(require('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object);
	t.true(validate(asyncApiDocument()), JSON.stringify(validate.errors?.slice(0, 5), undefined, 1));
	t.false(validate({...asyncApiDocument(), channels: {presence: {address: 7}}}), 'it refuses what is none');
});

test('every reference of the document leads somewhere', async (t) => {
	const document = asyncApiDocument();
	const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/gu)].map(
		([, reference]) => reference ?? '',
	);
	t.true(references.length > 40);
	for (const reference of references) {
		if (reference.startsWith('#/')) {
			const target = reference
				.slice(2)
				.split('/')
				.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
			t.truthy(target, reference);
		} else {
			await t.notThrowsAsync(readFile(path.join(directory, reference)), reference);
		}
	}
	const addresses = JSON.stringify(document);
	for (const name of [...boxTopicNames, ...fleetTopicNames]) {
		t.true(addresses.includes(`sv/1/{deviceId}/${name}"`), name);
	}
});

test('each JSON Schema compiles, and agrees with its zod schema about a good and a bad payload', (t) => {
	const good: Partial<Record<ContractSchemaName, unknown>> = {
		presence: {version: 1, state: 'online', bootId: 'b', sessionId: 's', sinceMs: 1},
		telemetry: {version: 1, epoch: 'e', sequence: 1, after: 0, samples: [{atMs: 1, values: {disk_free_bytes: 1}}]},
		event: {
			...{version: 1, epoch: 'e', sequence: 1, after: 0, atMs: 1, severity: 'info'},
			event: {kind: 'note', data: {deep: [{er: null}]}},
		},
		acknowledged: {version: 1, epoch: 'e', event: 7},
		reply: {version: 1, id: 'c', state: 'done', atMs: 1, result: [1, {a: 'b'}]},
		'command-arguments': {ping: {}},
	};
	for (const name of Object.keys(contractSchemas) as ContractSchemaName[]) {
		const validate = createValidator().compile(jsonSchemaOf(name));
		const {schema} = contractSchemas[name];
		for (const bad of [{}, {version: 2}, [], null, 'text', {version: 1, epoch: 7}].filter(
			(each) => !schema.safeParse(each).success,
		)) {
			t.false(validate(bad), `${name} ${JSON.stringify(bad)}`);
		}
		if (name in good) {
			t.true(validate(good[name]), `${name}: ${JSON.stringify(validate.errors)}`);
			t.true(schema.safeParse(good[name]).success, name);
		}
	}
});
