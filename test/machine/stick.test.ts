import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {manifestName, signatureName} from '#ota/release/create-release.ts';
import {eventually} from '#test/helper/eventually.ts';
import {signImage} from '#test/helper/machine-update.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {testImage} from '#test/helper/with-image.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';
import {claimOf} from '#test/helper/with-slot-box.ts';
import {makeStick, stickArguments} from '#test/helper/with-stick.ts';

const testTimeoutMs = 60 * 60_000;
/** Carrying in, installing, booting and proving itself. */
const updateTimeoutMs = 6 * bootTimeoutMs;
/** Of what a stick brought a box may tell after a shutdown, a copy of the bundle and a boot. */
const toldTimeoutMs = 3 * bootTimeoutMs;
const id = 'stb-stick';

test('a stick makes a box that is nobody’s a fleet’s, and then brings it a release', async (t) => {
	t.timeout(testTimeoutMs);
	const [factory, next] = [await testImage({release: '1.0.0'}), await testImage({release: '1.0.1'})];
	const fleet = await withMachineFleet(t);
	const directory = await withDirectory(t);
	const {directory: release, signature} = await signImage(t, {fleet, image: next});
	const [seed, cms] = [join(directory, 'seed.json'), join(directory, signatureName)];
	await writeFile(seed, JSON.stringify({version: 1, deviceId: id, claim: await claimOf(fleet, id)}));
	await writeFile(cms, signature);
	const stick = makeStick(directory, {
		...{'seed.json': seed, [manifestName]: join(release, manifestName), [signatureName]: cms},
		'set-top 1.0.1.raucb': next.bundlePath,
	});
	const machine = await withMachine(t, {
		...{fleet, id, image: factory, extraArguments: stickArguments(stick)},
		// Nothing on the boot partition: whoever flashed this box knew of no fleet.
		plant: () => Promise.resolve(),
	});
	const startedMs = performance.now();
	const log = (what: string): void => t.log(`${what} after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
	/** What the fleet is told of a stick. */
	const told = async (facts: Readonly<Record<string, string>>): Promise<unknown> => {
		let events: readonly {readonly data: Readonly<Record<string, unknown>>}[] = [];
		const ask = async () => {
			events = (await fleet.call(`GET /boxes/${id}/events`)).body.items;
			return events
				.map(({data}) => data)
				.find((data) => Object.entries({by: 'stick', ...facts}).every(([name, value]) => data[name] === value));
		};
		return await eventually(JSON.stringify(facts), ask, {timeoutMs: toldTimeoutMs, intervalMs: 500}).catch(
			(cause: unknown) => {
				throw new Error(`the fleet was told ${JSON.stringify(events)}`, {cause});
			},
		);
	};
	await machine.until('it is online and healthy', ({presence, reported}) => {
		return presence === 'online' && reported?.healthy === true;
	});
	log('in its fleet');
	// Whose releases it would take, the box did not know yet when it looked at the stick.
	t.like(await told({seed: 'taken'}), {release: 'refused', reasons: [{code: 'STICK_BOX_UNCLAIMED'}]});
	const given = await fleet.call(`POST /boxes/${id}/commands`, {name: 'reboot', arguments: {delayMs: 1000}});
	t.is(given.status, 202, JSON.stringify(given.body));
	t.like(await told({release: 'taken'}), {seed: 'refused', reasons: [{code: 'STICK_BOX_CLAIMED'}]});
	log('the release is on the box');
	const box = await machine.until(
		'it runs the release of the stick, and keeps it',
		({release: runs, reported}) => {
			const booted = reported?.slots.find(({state}) => state === 'booted');
			return runs === next.release && booted?.status === 'good' && reported?.update.phase === 'confirmed';
		},
		{timeoutMs: updateTimeoutMs},
	);
	log('confirmed');
	t.is(box.reported?.slots.find(({state}) => state === 'booted')?.name, 'rootfs.1');
});
