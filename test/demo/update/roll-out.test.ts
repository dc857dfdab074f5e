import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openFleetClient} from '#demo/fleet/fleet-client.ts';
import {act, startRollout, watchRollout} from '#demo/update/roll-out.ts';
import {publishRelease} from '#ota/release/publish-release.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withDirectory} from '#test/helper/with-directory.ts';
import {withFleet, withFleetBox} from '#test/helper/with-fleet.ts';
import {testFacts} from '#test/helper/with-fleet-link.ts';
import {withRelease} from '#test/helper/with-release.ts';

test('a rollout is made, approved by a second person, started, watched and ended against a real fleet', async (t) => {
	t.timeout(60_000);
	const released = await withRelease(t, {sizeBytes: 20_000});
	const caFile = join(await withDirectory(t), 'ca.pem');
	await writeFile(caFile, released.key.caPem);
	const fleet = await withFleet(t, {config: {release: {caFile}}});
	const {url, token} = fleet;
	const signal = AbortSignal.timeout(60_000);
	const {directory, manifestBytes: manifest, signature} = released;
	await publishRelease({fleet: {url, token}, directory, manifest, signature, signal});
	const box = await withFleetBox(t, fleet, 'demo-stb');
	box.report({...testFacts, release: '1.0.0'});
	await eventually('the box is known', async () => (await fleet.call('GET /overview')).body.online === 1);
	const ask = openFleetClient({url, token, signal});
	const started = await startRollout({
		...{url, ask, signal},
		rollout: {
			...{name: 'of the demo', release: released.manifest.release, kind: 'stb'},
			groups: [{name: 'all', size: {kind: 'percent', percent: 100}}],
		},
	});
	t.true(started.state === 'scheduled' || started.state === 'running', started.state);
	t.regex(started.approval?.by ?? '', /^demo-approver\b/u);

	let changes = 0;
	const watched = watchRollout({
		...{ask, id: started.id, timeoutMs: 30_000, signal},
		until: ({state}) => state === 'aborted',
		onChange: () => {
			changes += 1;
		},
	});
	const early = await watchRollout({ask, id: started.id, timeoutMs: 0, signal, until: () => false});
	t.not(early.state, 'aborted', 'the time was over');
	const before = await watchRollout({
		...{ask, id: started.id, timeoutMs: 30_000, signal},
		until: ({counts}) => counts.ordered === 1,
	});
	t.true(changes >= 1, 'what it looks like at first is news');
	await act(ask, before, 'abort');
	t.is((await watched).state, 'aborted');
	await t.throwsAsync(act(ask, before, 'abort'), {code: 'DEMO_FLEET_REFUSED'}, 'of an edition that is past');
});
