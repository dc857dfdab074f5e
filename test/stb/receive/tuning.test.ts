import test from 'ava';
import type {GatewaySession} from '#appliance/contract/gateway-session.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {stbConfigSchema} from '#stb/config-schema.ts';
import type {SignallingStore} from '#stb/receive/signalling-store.ts';
import {type Carriage, createTuning} from '#stb/receive/tuning.ts';

const session = (group: string, tsi: number, baseUrls: readonly string[] = []): GatewaySession => ({
	endpoint: {group, port: 5001, tsi},
	...{bitrateMaxBps: 1, fecEncodingId: 0, fecOverheadPercent: 0},
	repair: {
		...{objectBaseUri: 'http://dvb.gw/streamverse/', receptionTimeoutMs: 1, fixedBackOffMs: 10, randomBackOffMs: 20},
		baseUrls: baseUrls.map((url) => ({url, weight: 2})),
	},
});

const withTuning = (fallback: readonly string[] = [], carriage?: Carriage) => {
	const heard: {bootstrap?: readonly GatewaySession[]; gateway?: readonly GatewaySession[]} = {};
	const signalling: SignallingStore = {
		take: () => undefined,
		titles: () => [],
		document: () => undefined,
		get bootstrap() {
			return heard.bootstrap === undefined ? undefined : {sessions: heard.bootstrap, services: []};
		},
		get gatewayConfiguration() {
			return heard.gateway === undefined ? undefined : {sessions: heard.gateway, services: []};
		},
	};
	const steps: string[] = [];
	const patience: string[] = [];
	const ways = new Set<string>();
	/** A group whose interface is not up. */
	const down: {group?: string} = {};
	const tuning = createTuning({
		receiver: {
			join: ({group, tsis, objectIdleMs, source, interfaceAddress}) => {
				ways.add(`${source} ${interfaceAddress}`);
				if (group === '10.0.0.1' || group === down.group) {
					throw new Error('that is no group');
				}
				if (objectIdleMs === undefined) {
					steps.push(`join ${group} ${tsis?.join()}`);
				} else {
					patience.push(`${group} ${tsis?.join()} ${objectIdleMs}`);
				}
			},
			leave: ({group}) => steps.push(`leave ${group}`),
		},
		...{signalling, carriage},
		config: stbConfigSchema.parse({repair: {fallbackBaseUrls: fallback.map((url) => ({url}))}}),
		logger: silentLogger(),
	});
	return {heard, steps, patience, ways, down, tuning};
};

test('the announcement first, then what both configurations list; what is no longer listed is left', (t) => {
	const {heard, steps, tuning} = withTuning();
	tuning.retune();
	t.false(tuning.announced);
	heard.bootstrap = [session('239.1.1.1', 1)];
	tuning.retune();
	tuning.retune();
	heard.gateway = [session('10.0.0.1', 1), session('239.1.1.1', 2), session('239.1.1.2', 3)];
	tuning.retune();
	heard.bootstrap = [];
	heard.gateway = [session('239.1.1.2', 3)];
	tuning.retune();
	t.true(tuning.announced);
	t.deepEqual(steps, [
		'join 224.0.23.14 0',
		'join 239.1.1.1 1',
		'join 239.1.1.1 1,2',
		'join 239.1.1.2 3',
		'leave 239.1.1.1',
	]);
	t.deepEqual(
		tuning.endpoints().map(({group, tsi}) => [group, tsi]),
		[
			['224.0.23.14', 0],
			['239.1.1.2', 3],
		],
	);
});

test('repair follows the session that carried the object, else the box’s own configuration', (t) => {
	const {heard, tuning} = withTuning(['http://fallback.example/']);
	const object = {group: '239.1.1.1', port: 5001, tsi: 1};
	t.is(tuning.repairSourceOf(object)?.servers[0]?.url, 'http://fallback.example/');
	heard.gateway = [session('239.1.1.1', 2, ['http://two.example/']), session('239.1.1.1', 1, ['http://one.example/'])];
	t.like(tuning.repairSourceOf(object), {fixedBackOffMs: 10, servers: [{url: 'http://one.example/', weight: 2}]});
	t.deepEqual(
		tuning.originsOf('http://dvb.gw/streamverse/').map(({url}) => url),
		['http://two.example/', 'http://one.example/'],
	);
	t.is(withTuning().tuning.repairSourceOf(object), undefined);
});

test('a session is given the patience that its repair parameters name, anew when they change', (t) => {
	const {heard, patience, tuning} = withTuning();
	const patient = (receptionTimeoutMs: number): GatewaySession => {
		const {repair, ...rest} = session('239.1.1.1', 2);
		return {...rest, ...(repair === undefined ? {} : {repair: {...repair, receptionTimeoutMs}})};
	};
	heard.gateway = [session('239.1.1.1', 1), patient(5000)];
	tuning.retune();
	t.deepEqual(patience, ['239.1.1.1 1 100', '239.1.1.1 2 5000']);
	tuning.retune();
	t.is(patience.length, 2);
	heard.gateway = [session('239.1.1.1', 1), patient(700)];
	tuning.retune();
	t.is(patience.at(-1), '239.1.1.1 2 700');
});

test('a session that cannot be joined yet, as while the tuner comes up, is joined at a later turn', (t) => {
	const {heard, steps, down, tuning} = withTuning();
	heard.bootstrap = [session('239.1.1.1', 1)];
	down.group = '239.1.1.1';
	tuning.retune();
	tuning.retune();
	t.deepEqual(steps, ['join 224.0.23.14 0']);
	delete down.group;
	tuning.retune();
	tuning.retune();
	t.deepEqual(steps, ['join 224.0.23.14 0', 'join 239.1.1.1 1']);
});

test('what a tuner of the box sends is heard where it is sent, whatever source the signalling names', (t) => {
	const carriage = {interfaceAddress: '127.0.0.1', source: '127.0.0.77'};
	const {heard, ways, tuning} = withTuning([], carriage);
	const {endpoint, ...rest} = session('239.1.1.1', 1);
	heard.bootstrap = [{...rest, endpoint: {...endpoint, source: '10.0.0.1'}}];
	tuning.retune();
	t.deepEqual([...ways], ['127.0.0.77 127.0.0.1']);
	const without = withTuning();
	without.heard.bootstrap = heard.bootstrap;
	without.tuning.retune();
	t.deepEqual([...without.ways], ['undefined undefined', '10.0.0.1 undefined']);
});
