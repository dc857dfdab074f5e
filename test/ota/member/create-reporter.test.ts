import {mkdir} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {reportedSchema} from '#appliance/contract/fleet/reported-schema.ts';
import {provisionSlots} from '#ota/slot/directory/directory-installer.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withMember} from '#test/helper/with-member.ts';
import {withRelease} from '#test/helper/with-release.ts';

test('no report of a new process says that no update is under way while one is', async (t) => {
	const slots = await withDirectory(t);
	await mkdir(path.join(slots, 'slot-a'));
	await provisionSlots({root: slots, release: '1.0.0', signal: AbortSignal.timeout(10_000)});
	const {order, key} = await withRelease(t);
	const member = await withMember(t, {
		releaseCaPem: key.caPem,
		fleet: {compatible: 'lab', installer: {kind: 'directory', directory: slots}},
	});
	const server = await member.startServer();
	const notBeforeMs = Date.now() + 3_600_000;
	const desired = {kind: 'desired', update: {...order, notBeforeMs, allowDowngrade: true}, config: {}};
	const phases = (): readonly string[] =>
		server.heard.flatMap(({topic, payload}) =>
			topic === 'reported' ? [reportedSchema.parse(JSON.parse(payload)).update.phase] : [],
		);
	const first = member.start();
	await server.desire(await member.setup.signer.sign(desired, {revision: 1}));
	await eventually('it has accepted the update', () => phases().includes('accepted'));
	first.kill('SIGTERM');
	await first.ended;
	const told = phases().length;
	member.start();
	await eventually('it has reported again', () => phases().length > told);
	t.is(phases()[told], 'accepted');
});
