import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {systemClock} from '#appliance/time/clock.ts';
import {provisionSlots} from '#ota/slot/directory/directory-installer.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {lastReport, withMember} from '#test/helper/with-member.ts';
import {withRelease} from '#test/helper/with-release.ts';

const awayMs = 24 * 3_600_000;

test('a box that comes back after its order’s life waits for the renewed one, and takes it under the same id', async (t) => {
	const slots = await withDirectory(t);
	await mkdir(path.join(slots, 'slot-a'));
	await provisionSlots({root: slots, release: '1.0.0', signal: AbortSignal.timeout(10_000)});
	const {order, key} = await withRelease(t);
	const member = await withMember(t, {
		releaseCaPem: key.caPem,
		fleet: {compatible: 'lab', installer: {kind: 'directory', directory: slots}},
	});
	const {setup} = member;
	const server = await member.startServer();
	const desired = {kind: 'desired', update: {...order, allowDowngrade: true}, config: {}};

	// Its link alone, a day ago: the order is kept, and the power goes before it is begun.
	const thenMs = Date.now() - awayMs;
	const iat = Math.floor(thenMs / 1000);
	const link = await setup.startLink({
		directory: path.join(member.stateDirectory, 'fleet'),
		clock: {...systemClock, nowMs: () => thenMs},
	});
	await server.desire(await setup.signer.sign(desired, {revision: 1, iat, exp: iat + 3600}));
	await eventually('the order is kept', () => link.desired()?.revision === 1);
	await link[Symbol.asyncDispose]();

	member.start();
	await eventually('it has looked at what it kept', () => lastReport(server)?.config.overlayRevision === 1);
	await server.desire(await setup.signer.sign(desired, {revision: 2}));
	const phases = () => server.events.flatMap(({event}) => (event.kind === 'update' ? [event.data.phase] : []));
	await eventually('it is begun, or refused', () => phases().some((phase) => phase !== 'accepted'));
	t.deepEqual(phases().slice(0, 2), ['accepted', 'fetching']);
});
