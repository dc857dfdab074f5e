import test from 'ava';
import {releaseVersionSchema} from '#appliance/contract/fleet/release-schema.ts';
import type {Reported} from '#appliance/contract/fleet/reported-schema.ts';
import {findInBatch} from '#ota/fleet/alert/find-in-batch.ts';
import {defaultSettings} from '#ota/fleet/alert/rule-settings.ts';
import type {Finding} from '#ota/fleet/alert/step-alert.ts';
import {deviceId, sampleReported, sampleTelemetry, sampleTimeMs} from '#test/helper/sample-box.ts';
import {emptyIngest} from '#test/helper/sample-ingest.ts';
import {withFleetAlerts} from '#test/helper/with-fleet-alerts.ts';

const minuteMs = 60_000;
const box = deviceId('oslo-0');

/** Each of these values is a sample of its own, in one batch. */
const measured = (...values: readonly Readonly<Record<string, number>>[]) => ({
	...emptyIngest,
	telemetry: values.map((each, index) => ({
		box,
		telemetry: sampleTelemetry(index + 1, {samples: [{atMs: sampleTimeMs + index * minuteMs, values: each}]}),
	})),
});

const find = (batch: Parameters<typeof findInBatch>[0], rule: Finding['rule']): Finding | undefined =>
	findInBatch(batch, {settings: defaultSettings, nowMs: sampleTimeMs}).find((finding) => finding.rule === rule);

const signalOf = (...values: readonly Readonly<Record<string, number>>[]): string | undefined =>
	find(measured(...values), 'signal')?.verdict;

test('a lock that is gone is a bad signal, although there is no margin then', (t) => {
	t.is(signalOf({tuner_locked: 0}), 'bad');
	t.is(signalOf({tuner_locked: 0, signal_margin_db: 9}), 'bad');
	t.is(signalOf({tuner_locked: 1, signal_margin_db: 9}), 'good');
	t.is(signalOf({tuner_locked: 1, signal_margin_db: 1.5}), 'unchanged');
	t.is(signalOf({tuner_locked: 1, signal_margin_db: 0.5}), 'bad');
	t.is(signalOf({tuner_locked: 1}), 'good', 'of a tuner that tells no margin');
	t.is(signalOf({tuner_locked: 0}, {tuner_locked: 1, signal_margin_db: 9}), 'good', 'the last word of a batch');
});

test('a box without a tuner has no signal', (t) => {
	t.is(signalOf({cache_bytes: 1, receive_rate_bps: 0}), undefined);
});

test('a dish that has fallen off is an alert after two minutes, until there is a lock again', async (t) => {
	const fleet = await withFleetAlerts(t);
	await fleet.addBoxes(1, 'oslo');
	await fleet.ingest(measured({tuner_locked: 0}));
	t.deepEqual(await fleet.alerts(), [], 'it may only have tuned anew');
	fleet.advance(2 * minuteMs);
	await fleet.ingest(measured({tuner_locked: 0}));
	const [alert] = await fleet.alerts();
	t.like(alert, {rule: 'signal', box, message: 'The tuner has no lock.', value: null});
	await fleet.ingest(measured({tuner_locked: 1}));
	fleet.advance(5 * minuteMs);
	await fleet.look();
	t.deepEqual(await fleet.alerts(), []);
});

const updateOf = (changes: Partial<Reported>): Finding | undefined =>
	find({...emptyIngest, reported: [{box, reported: sampleReported(box, changes)}]}, 'update-failed');

const status = (phase: Reported['update']['phase'], release = '2.0.0'): Reported['update'] => ({
	...{phase, orderId: 'abcdefghijkl.1', sinceMs: sampleTimeMs},
	release: releaseVersionSchema.parse(release),
});

const slotsOf = (booted: string, release: string): Reported['slots'] => [
	{name: booted, state: 'booted', status: 'good', release},
];

test('a box that fell back after its update was confirmed is told', (t) => {
	const back = updateOf({release: '1.0.0', update: status('confirmed')});
	t.is(back?.verdict, 'bad');
	t.is(back?.message, 'The box had confirmed 2.0.0 and runs 1.0.0 now: it fell back.');
	const factory = updateOf({release: '2.0.0', slots: slotsOf('factory.0', '2.0.0'), update: status('confirmed')});
	t.is(factory?.verdict, 'bad');
	t.is(factory?.message, "The box had confirmed 2.0.0 and runs 2.0.0 of the factory's slot now: it fell back.");
});

test('a box that runs what it confirmed, or is on its way to another release, raises nothing', (t) => {
	const good: readonly Partial<Reported>[] = [
		{release: '2.0.0', slots: slotsOf('rootfs.1', '2.0.0'), update: status('confirmed')},
		{release: '2.0.0', update: status('fetching', '3.0.0')},
		{release: '1.0.0', slots: slotsOf('factory.0', '1.0.0'), update: status('installing')},
		{release: '1.0.0', slots: slotsOf('rootfs.0', '1.0.0')},
		{release: '1.0.0', update: {phase: 'confirmed', sinceMs: sampleTimeMs}},
	];
	t.deepEqual(
		good.map((changes) => updateOf(changes)?.verdict),
		good.map(() => 'good'),
	);
	t.is(updateOf({update: status('rolled-back')})?.verdict, 'bad');
});
