import {createHash} from 'node:crypto';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {broughtBundleName, broughtReportName, broughtSignatureName} from '#ota/member/brought-release.ts';
import {bootSlot} from '#ota/slot/directory/boot-slot.ts';
import {provisionSlots} from '#ota/slot/directory/directory-installer.ts';
import {eventually} from '#test/helper/eventually.ts';
import {sampleBundle} from '#test/helper/sample-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import type {TestFleetServer} from '#test/helper/with-fleet-link.ts';
import {withMember} from '#test/helper/with-member.ts';
import {type TestRelease, testReleaseKey, withRelease} from '#test/helper/with-release.ts';

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
	await writeFile(path.join(stick, 'manifest.json'), release.manifestBytes);
	await writeFile(path.join(stick, broughtSignatureName), release.signature.toString('base64'));
	await writeFile(path.join(stick, broughtBundleName(release.sha256)), bundle);
	await writeFile(
		path.join(stick, broughtReportName),
		JSON.stringify({version: 1, atMs: 1000, seed: 'none', release: 'taken', reasons: []}),
	);
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
	t.like(note.event.data, {by: 'stick', release: 'taken', seed: 'none'});
	await eventually('that it is booted', () => updatesOf(server).some(({phase}) => phase === 'confirming'));
	const [first] = updatesOf(server);
	const digest = createHash('sha256').update(release.manifestBytes).digest('hex');
	t.like(first, {phase: 'accepted', release: '2.0.0', orderId: `stick-${digest.slice(0, 32)}`});
	t.true((updatesOf(server).findLast(({bytes}) => bytes !== undefined)?.bytes?.local ?? 0) >= release.bundle.length);
});

/** A damaged bundle has a second attempt, after as much as half a minute, as on every box. */
const endTimeoutMs = 90_000;

const refused = test.macro({
	exec: async (
		t,
		options: {readonly version?: string; readonly damage?: (release: TestRelease) => TestRelease},
		code: string,
	) => {
		const made = await withRelease(t, {bytes: await sampleBundle('2.0.0'), ...options});
		const {member, stick} = await withBrought(t, options.damage?.(made) ?? made);
		const server = await member.startServer();
		member.start();
		const end = await eventually('its end', () => updatesOf(server).find(({reason}) => reason !== undefined), {
			timeoutMs: endTimeoutMs,
		});
		t.is(end.reason?.code, code);
		await eventually('its room is given back', async () => (await readdir(stick)).length === 0);
	},
	title: (name) => `refused by the rules of every update: ${name}`,
});

test.serial('an older release than the one that runs', refused, {version: '0.9.0'}, 'OTA_REFUSED_DOWNGRADE');
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
	'a bundle of which a byte is another',
	refused,
	{damage: (release) => ({...release, bundle: Buffer.from(release.bundle).fill(1, 600, 601)})},
	'OTA_FAILED_DIGEST',
);
