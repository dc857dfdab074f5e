import {createHash} from 'node:crypto';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import type {UpdateOrder} from '#appliance/contract/fleet/order-schema.ts';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import type {UpdateStatus} from '#appliance/contract/fleet/update-schema.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import {type BroughtEnd, broughtEndsName, nextOrderId, readEnds} from '#ota/member/brought-ends.ts';
import {
	broughtBundleName,
	broughtReportsName,
	broughtSignatureName,
	openBroughtRelease,
} from '#ota/member/brought-release.ts';
import {bootSlot} from '#ota/slot/directory/boot-slot.ts';
import {provisionSlots} from '#ota/slot/directory/directory-installer.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleBundle, sampleJob} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import type {TestFleetServer} from '#test/helper/with-fleet-link.ts';
import {withMember} from '#test/helper/with-member.ts';
import {type TestRelease, testReleaseKey, withRelease} from '#test/helper/with-release.ts';

/** As whoever mounts a stick does. */
const carry = async (stick: string, release: TestRelease, bundle = release.bundle): Promise<void> => {
	await writeFile(path.join(stick, 'manifest.json'), release.manifestBytes);
	await writeFile(path.join(stick, broughtSignatureName), release.signature.toString('base64'));
	await writeFile(path.join(stick, broughtBundleName(release.sha256)), bundle);
};

/** A member with two slots, and a release in its state as a stick brought it. */
const withBrought = async (t: ExecutionContext, release: TestRelease, bundle = release.bundle) => {
	const slots = await withDirectory(t);
	await mkdir(path.join(slots, 'slot-a'));
	await provisionSlots({root: slots, release: '1.0.0', signal: AbortSignal.timeout(10_000)});
	const {caPem} = await testReleaseKey();
	const member = await withMember(t, {
		releaseCaPem: caPem,
		fleet: {compatible: 'lab', installer: {kind: 'directory', directory: slots}},
	});
	const stick = path.join(member.stateDirectory, 'stick');
	await mkdir(stick, {recursive: true});
	const reports = ['refused', 'taken'].map((word) => ({
		version: 1,
		atMs: 1000,
		seed: 'none',
		release: word,
		reasons: [],
	}));
	await writeFile(path.join(stick, broughtReportsName), JSON.stringify(reports));
	await carry(stick, release, bundle);
	return {member, slots, stick};
};

const updatesOf = (server: TestFleetServer) =>
	server.events.flatMap(({event}) => (event.kind === 'update' ? [event.data] : []));

test.serial('a release from a stick is installed without a fleet, which hears of it when it can', async (t) => {
	const release = await withRelease(t, {bytes: await sampleBundle('2.0.0')});
	const {member, slots} = await withBrought(t, release);
	await member.setup.broker.kill();
	await member.start().ended;
	t.is((await bootSlot({root: slots})).slot, 'slot-b');
	t.is(await readFile(path.join(slots, 'slot-b/release.txt'), 'utf8'), '2.0.0');
	await member.setup.broker.start();
	const server = await member.startServer();
	member.start();
	const note = await eventually('what was on the stick', () => server.events.find(({event}) => event.kind === 'note'));
	t.like(note.event.data, {by: 'stick', release: 'refused', seed: 'none'});
	await eventually('what was on the other stick', () =>
		server.events.some(({event}) => event.kind === 'note' && event.data['release'] === 'taken'),
	);
	await eventually('that it is booted', () => updatesOf(server).some(({phase}) => phase === 'confirming'));
	const [first] = updatesOf(server);
	const digest = createHash('sha256').update(release.manifestBytes).digest('hex');
	t.like(first, {phase: 'accepted', release: '2.0.0', orderId: `stick-${digest.slice(0, 32)}`});
	t.true((updatesOf(server).findLast(({bytes}) => bytes !== undefined)?.bytes?.local ?? 0) >= release.bundle.length);
});

/** A damaged bundle has a second attempt, after as much as half a minute, as on every box. */
const endTimeoutMs = 90_000;

/** As an update leaves it, from which the box has fallen back since. */
const confirm = async (stateDirectory: string, version: string): Promise<void> => {
	const directory = path.join(stateDirectory, 'fleet/update');
	await mkdir(directory, {recursive: true});
	using store = openAgentStore(path.join(directory, 'agent.db'));
	const {order, origin, attempt, bytes} = sampleJob();
	const release = releaseVersionSchema.parse(version);
	const told = {orderId: order.orderId, origin, release, attempt, bytes, sinceMs: 1};
	store.writeState({kind: 'confirmed', ...told}, {isNews: false});
};

const refused = test.macro({
	exec: async (
		t,
		options: {
			readonly version?: string;
			readonly confirmed?: string;
			readonly damage?: (release: TestRelease) => TestRelease;
		},
		code: string,
	) => {
		const made = await withRelease(t, {bytes: await sampleBundle('2.0.0'), ...options});
		const {member, stick} = await withBrought(t, options.damage?.(made) ?? made);
		if (options.confirmed !== undefined) {
			await confirm(member.stateDirectory, options.confirmed);
		}
		const server = await member.startServer();
		member.start();
		const end = await eventually('its end', () => updatesOf(server).find(({reason}) => reason !== undefined), {
			timeoutMs: endTimeoutMs,
		});
		t.is(end.reason?.code, code);
		await eventually('its room is given back', async () => isDeepStrictEqual(await readdir(stick), [broughtEndsName]));
		t.deepEqual(await readEnds(stick), [{orderId: end.orderId, phase: end.phase, reason: end.reason}]);
	},
	title: (name) => `refused by the rules of every update: ${name}`,
});

test.serial('an older release than the one that runs', refused, {version: '0.9.0'}, 'OTA_REFUSED_DOWNGRADE');
test.serial(
	'an older release than the box has confirmed, whatever it has fallen back to',
	refused,
	{version: '2.0.0', confirmed: '2.1.0'},
	'OTA_REFUSED_DOWNGRADE',
);
test.serial(
	'a signature of somebody else',
	refused,
	{
		damage: (release) => ({
			...release,
			manifestBytes: Buffer.from(String(release.manifestBytes).replace('test', 'tesT')),
		}),
	},
	'OTA_REFUSED_SIGNATURE',
);
test.serial(
	'a release whose copy went bad on the box is refused, and installed when it is brought again',
	async (t) => {
		const release = await withRelease(t, {bytes: await sampleBundle('2.0.0')});
		const {member, slots, stick} = await withBrought(t, release, Buffer.from(release.bundle).fill(1, 600, 601));
		const server = await member.startServer();
		const first = member.start();
		await eventually('its end', () => updatesOf(server).some(({reason}) => reason?.code === 'OTA_FAILED_DIGEST'), {
			timeoutMs: endTimeoutMs,
		});
		await eventually('its room is given back', async () => isDeepStrictEqual(await readdir(stick), [broughtEndsName]));
		first.kill('SIGKILL');
		await first.ended;
		await carry(stick, release);
		await member.start().ended;
		t.is(await readFile(path.join(slots, 'slot-b/release.txt'), 'utf8'), '2.0.0');
		const orders = new Set(updatesOf(server).map(({orderId}) => orderId));
		t.deepEqual([...orders], [nextOrderId(release.manifestBytes, undefined), `${[...orders][0]}-2`]);
	},
);

/** What a box keeps of a release, without the box. */
const withCarried = async (t: ExecutionContext) => {
	const release = await withRelease(t);
	const directory = await withDirectory(t);
	await carry(directory, release);
	const brought = await openBroughtRelease({directory, kind: 'stb', logger: silentLogger()});
	const orderId = nextOrderId(release.manifestBytes, undefined);
	const end: BroughtEnd = {
		...{orderId, phase: 'rolled-back'},
		reason: {code: 'OTA_ROLLED_BACK_POWER', message: 'The plug was pulled.'},
	};
	const offer = async (status: UpdateStatus): Promise<readonly (string | undefined)[]> => {
		const assigned: (string | undefined)[] = [];
		const agent = {
			assign: (order?: UpdateOrder) => {
				assigned.push(order?.orderId);
			},
			status: () => status,
		};
		await brought.offer({link: {tellEvent: () => undefined}, agent});
		return assigned;
	};
	return {release, directory, brought, end, offer};
};

test('an end that was not noted before the power was lost is noted at the next start', async (t) => {
	const {directory, end, offer} = await withCarried(t);
	t.deepEqual(await offer({...end, sinceMs: 1}), [], 'and it is not begun again');
	t.deepEqual(await readEnds(directory), [end]);
	t.deepEqual(await readdir(directory), [broughtEndsName]);
});

test('what failed last time is offered again under another name, whatever the agent still tells of it', async (t) => {
	const {release, directory, end, offer} = await withCarried(t);
	let failed: BroughtEnd = {...end, phase: 'failed', reason: {code: 'OTA_FAILED_ROOM', message: 'Full.'}};
	await offer({...failed, sinceMs: 1});
	for (const name of ['2', '3']) {
		await carry(directory, release);
		t.deepEqual(await offer({...failed, sinceMs: 1}), [`${end.orderId}-${name}`]);
		t.deepEqual(await offer({...failed, sinceMs: 1}), [`${end.orderId}-${name}`], 'the same at each start');
		failed = {...failed, orderId: `${end.orderId}-${name}`};
		await offer({...failed, sinceMs: 1});
	}
});

test('the end of one release does not take away another that was brought meanwhile', async (t) => {
	const {directory, brought, offer} = await withCarried(t);
	const other = {orderId: `stick-${'0'.repeat(32)}`, phase: 'failed', sinceMs: 1} as const;
	const before = await readdir(directory);
	brought.ended(other);
	await offer({phase: 'idle', sinceMs: 1});
	t.deepEqual((await readdir(directory)).toSorted(), [...before, broughtEndsName].toSorted());
});
