import test, {type ExecutionContext} from 'ava';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {kindsFor} from '#image/make/recipe.ts';
import {telemetryAnswerSchema} from '#ota/contract/box-api.ts';
import {popNodeStatusSchema} from '#pop-node/repair/status.ts';
import {eventually} from '#test/helper/eventually.ts';
import type {TestFleet} from '#test/helper/with-fleet.ts';
import {withHeadend} from '#test/helper/with-headend.ts';
import {testArchitecture, testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, hostInGuest, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';

const testTimeoutMs = 60 * 60_000;
const answerTimeoutMs = 2000;
/** Of the management plane, which is the supervisor: all that it holds, files that the role's Node shares included. */
const residentBytesMax = 120_000_000;

type Role = {
	/** Below the role's port. */
	readonly path: string;
	readonly works: (answer: string) => boolean;
	/** The role's section, where the image has no default. */
	readonly section?: (t: ExecutionContext) => Promise<Readonly<Record<string, unknown>>>;
};

/** What shows that each role does its work as far as a box alone can. */
const roles: Readonly<Record<BoxKind, Role>> = {
	stb: {path: '', works: (page) => page.includes('StreamVerse')},
	headend: {path: 'status', works: (answer) => headendStatusSchema.parse(JSON.parse(answer)).uplink.sentPackets > 0},
	'pop-node': {
		path: 'status',
		works: (answer) => popNodeStatusSchema.parse(JSON.parse(answer)).follow.kind === 'following',
		section: async (t) => ({headendUrl: (await withHeadend(t)).url.replace('127.0.0.1', hostInGuest)}),
	},
};

const boots = test.macro({
	title: (_, kind: BoxKind, firmware?: 'u-boot') =>
		`an image of a ${kind} boots by its signed path${firmware === undefined ? '' : ' from U-Boot'}, takes its seed, joins its fleet and works`,
	exec: async (t, kind: BoxKind, firmware?: 'u-boot') => {
		t.timeout(testTimeoutMs);
		const {path, works, section} = roles[kind];
		const image = await testImage({kind, release: '1.0.0'});
		const fleet = await withMachineFleet(t);
		const seed = section === undefined ? {} : {config: {[kind]: await section(t)}};
		const startedMs = performance.now();
		const seconds = (): string => ((performance.now() - startedMs) / 1000).toFixed(0);
		const machine = await withMachine(t, {fleet, image, id: `${kind}-machine`, seed, firmware});
		const ask = async (): Promise<boolean> => {
			const response = await fetch(machine.url + path, {signal: AbortSignal.timeout(answerTimeoutMs)});
			return response.status === 200 && works(await response.text());
		};
		await eventually('the role works', ask, {timeoutMs: bootTimeoutMs, intervalMs: 500}).catch((cause: unknown) => {
			throw new Error(`no role:\n${machine.lines().slice(-40).join('\n')}`, {cause});
		});
		t.log(`works after ${seconds()} s`);
		const {release, reported} = await machine.until('it is online and healthy', ({presence, reported: told}) => {
			return presence === 'online' && told?.healthy === true && told.slots.length > 0;
		});
		t.log(`in its fleet after ${seconds()} s`);
		const healthyMs = Date.now();
		t.is(release, image.release);
		t.is(reported?.slots.find(({state}) => state === 'booted')?.name, 'rootfs.0', 'slot A');
		t.like(
			reported?.services.find(({name}) => name === kind),
			{state: 'running', crashLoop: false},
		);
		await eventually('who stands at the box reads its name and the code', () => {
			const text = machine.lines().join('\n');
			return (
				text.includes(`http://${machine.id}.local:8078/`) &&
				/Commissioning page: code [\dA-Z]{4}-[\dA-Z]{4}/u.test(text)
			);
		});
		const state = await fetch(`${machine.commissionUrl}api/state`, {signal: AbortSignal.timeout(bootTimeoutMs)});
		t.like(await state.json(), {box: {id: machine.id, kind}, codeNeeded: true, fleet: {connected: true}});
		await eventually('the try of this boot given back', () => /^A_TRY=0$/mu.test(machine.bootVariables()), {
			timeoutMs: bootTimeoutMs,
			intervalMs: 1000,
		});
		const failed = machine.lines().filter((line) => line.includes('[FAILED]'));
		t.deepEqual(failed, [], 'each unit of its boot has started');
		await memoryHolds(t, {fleet, id: machine.id, fromMs: healthyMs});
	},
});

/** By its own telemetry, of a sample that it took while it was connected and healthy. */
const memoryHolds = async (
	t: ExecutionContext,
	{fleet, id, fromMs}: {readonly fleet: TestFleet; readonly id: string; readonly fromMs: number},
): Promise<void> => {
	const values = await eventually(
		'a sample of its memory',
		async () => {
			const query = new URLSearchParams({fromMs: `${fromMs}`, toMs: `${fromMs + testTimeoutMs}`});
			const {metrics} = telemetryAnswerSchema.parse((await fleet.call(`GET /boxes/${id}/telemetry?${query}`)).body);
			const measures = ['resident', 'proportional', 'anonymous'].map((name) => {
				return [name, metrics[`supervisor_${name}_bytes`]?.at(-1) ?? 0] as const;
			});
			return measures.every(([, bytes]) => bytes > 0) && Object.fromEntries(measures);
		},
		{timeoutMs: bootTimeoutMs, intervalMs: 1000},
	);
	t.log(Object.entries(values).map(([name, bytes]) => `${name} ${(bytes / 1e6).toFixed(1)} MB`));
	t.true((values['resident'] ?? Number.NaN) < residentBytesMax, JSON.stringify(values));
};

for (const kind of kindsFor(testArchitecture)) {
	test.serial(boots, kind);
}
if (testArchitecture === 'arm64') {
	test.serial(boots, 'stb', 'u-boot');
}
