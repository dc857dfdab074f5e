import test from 'ava';
import fc from 'fast-check';
import {z} from 'zod';
import type {ServiceStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {bootCauseOf} from '#ota/member/boot-cause.ts';
import {layOver} from '#ota/member/effective-config.ts';
import {mergePatch} from '#ota/member/merge-patch.ts';
import {serviceEvents} from '#ota/member/service-events.ts';

/** RFC 7396 appendix A, whole. */
const vectors: readonly (readonly [unknown, unknown, unknown])[] = [
	[{a: 'b'}, {a: 'c'}, {a: 'c'}],
	[{a: 'b'}, {b: 'c'}, {a: 'b', b: 'c'}],
	[{a: 'b'}, {a: null}, {}],
	[{a: 'b', b: 'c'}, {a: null}, {b: 'c'}],
	[{a: ['b']}, {a: 'c'}, {a: 'c'}],
	[{a: 'c'}, {a: ['b']}, {a: ['b']}],
	[{a: {b: 'c'}}, {a: {b: 'd', c: null}}, {a: {b: 'd'}}],
	[{a: [{b: 'c'}]}, {a: [1]}, {a: [1]}],
	[
		['a', 'b'],
		['c', 'd'],
		['c', 'd'],
	],
	[{a: 'b'}, ['c'], ['c']],
	[{a: 'foo'}, null, null],
	[{a: 'foo'}, 'bar', 'bar'],
	[{e: null}, {a: 1}, {e: null, a: 1}],
	[[1, 2], {a: 'b', c: null}, {a: 'b'}],
	[{}, {a: {bb: {ccc: null}}}, {a: {bb: {}}}],
];

test('a merge patch does what RFC 7396 says, and a prototype is only a key', (t) => {
	for (const [target, patch, result] of vectors) {
		t.deepEqual(mergePatch(target, patch), result);
	}
	mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}'));
	t.is(({} as {polluted?: boolean}).polluted, undefined);
	fc.assert(
		fc.property(fc.dictionary(fc.string(), fc.integer()), (target) => {
			t.deepEqual(mergePatch(target, {}), target);
		}),
		{numRuns: 50},
	);
});

const schema = z.strictObject({limit: z.int().default(5), name: z.string().optional()});
const lay = (overlay: Record<string, unknown>) =>
	layOver({
		boxText: 'version: 1\nbox: {id: box-1, kind: stb, stateDirectory: state}\nfleet: {}\nstb: {name: here}\n',
		...{overlay, kind: 'stb', stateDirectory: '/var/lib/box', sectionSchemaOf: () => schema},
	});

test('the fleet’s configuration is laid over the box’s own, and judged by the same schema', (t) => {
	const {text, loaded} = lay({stb: {limit: 7}, log: {level: 'debug'}});
	t.deepEqual(loaded.role, {limit: 7, name: 'here'});
	t.is(loaded.log.level, 'debug');
	t.is(JSON.parse(text).box.stateDirectory, '/var/lib/box');
	t.false('fleet' in JSON.parse(text));
	t.is(lay({}).roleText, lay({stb: {limit: 5}}).roleText, 'a default that is written out changes nothing');
	t.not(lay({}).roleText, lay({stb: {limit: 6}}).roleText);
	t.throws(() => lay({stb: {limit: 'many'}}), {code: 'APPLIANCE_CONFIG_INVALID', message: /stb\.limit/u});
	t.throws(() => lay({stb: {other: 1}}), {code: 'APPLIANCE_CONFIG_INVALID', message: /not a known key/u});
	for (const key of ['box', 'fleet', 'supervisor', 'version', 'headend']) {
		t.throws(() => lay({[key]: {}}), {code: 'OTA_CONFIG_FORBIDDEN'}, key);
	}
});

const before = {version: 1, bootId: 'one', release: '1.0.0', stopped: false} as const;
const cause = (facts: Partial<Parameters<typeof bootCauseOf>[0]>) =>
	bootCauseOf({bootId: 'two', release: '1.0.0', before, remembered: undefined, ...facts})?.cause;

test('a boot is told with its cause, and a restart of the supervisor is none', (t) => {
	t.is(cause({bootId: 'one'}), undefined);
	t.is(cause({before: undefined}), 'unknown');
	t.is(cause({}), 'power');
	t.is(cause({before: {...before, stopped: true}}), 'unknown');
	t.is(cause({before: {...before, stopped: true, ending: {cause: 'command', detail: ''}}}), 'command');
	t.is(cause({remembered: {origin: 'panic', detail: 'Oops'}}), 'panic');
	t.is(cause({remembered: {origin: 'watchdog', detail: ''}}), 'watchdog');
	t.is(
		cause({before: {...before, ending: {cause: 'update', detail: ''}}, remembered: {origin: 'power', detail: ''}}),
		'update',
	);
});

const service = (changes: Partial<ServiceStatus>): ServiceStatus => ({
	...{
		name: 'stb',
		state: 'running',
		sinceMs: 0,
		restarts: 0,
		mustRun: true,
		crashLoop: false,
		endpoints: {},
		outputTail: [],
	},
	...changes,
});
const failure = {kind: 'exited', text: 'exited with code 1', atMs: 0};

test('services tell of crashes, of loops once, and of their end', (t) => {
	const steps: readonly ServiceStatus[] = [
		service({}),
		service({state: 'waiting', lastFailure: failure}),
		service({state: 'starting', lastFailure: failure}),
		service({state: 'waiting', lastFailure: failure, crashLoop: true, outputTail: ['why']}),
		service({state: 'starting', lastFailure: failure, crashLoop: true}),
		service({state: 'waiting', lastFailure: failure, crashLoop: true}),
		service({state: 'running', lastFailure: failure}),
		service({state: 'waiting', lastFailure: {...failure, kind: 'ordered'}}),
	];
	const told = steps.flatMap((now, index) => (index === 0 ? [] : serviceEvents([steps[index - 1] ?? now], [now])));
	t.deepEqual(
		told.map(({data}) => data.state),
		['crashed', 'crash-loop', 'recovered'],
	);
	t.regex(told[1]?.data.detail ?? '', /exited with code 1\nwhy/u);
});
