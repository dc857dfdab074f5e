import test from 'ava';
import {withUpdateBox} from '#test/helper/with-update-box.ts';

test('an update is fetched, installed, booted, checked and only then confirmed', async (t) => {
	const box = await withUpdateBox(t, {
		checks: (slot) => [
			{
				name: 'role',
				weight: 'must',
				graceMs: 1000,
				check: async () => {
					t.is(slot, 'slot-b');
					await Promise.resolve();
				},
			},
		],
	});
	const outcome = await box.run();
	t.like(outcome, {phase: 'confirmed', slot: 'slot-b', release: '2.0.0', reboots: 1, boots: 2});
	t.deepEqual(
		box.told.map(({phase}) => phase),
		['accepted', 'fetching', 'verified', 'installing', 'rebooting', 'confirming', 'confirmed'],
	);
	t.is(outcome.status.bytes?.carousel, box.serve.bytes.length);
});
