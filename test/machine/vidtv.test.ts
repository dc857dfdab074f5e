import test from 'ava';
import {z} from 'zod';
import {eventually} from '#test/helper/eventually.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';
import {vidtvImage} from '#test/helper/with-vidtv.ts';

const testTimeoutMs = 45 * 60_000;
const probeTimeoutMs = bootTimeoutMs + 8 * 60_000;
const stepSchema = z.object({step: z.string(), facts: z.unknown()});

const lockSchema = z.object({
	lockMs: z.number(),
	statistics: z.object({locked: z.boolean(), cnrDb: z.number(), levelDbm: z.number()}),
});

/** What the probe in the machine has told so far, by its steps. */
const stepsOf = (lines: readonly string[]): Readonly<Record<string, unknown>> =>
	Object.fromEntries(
		lines
			.flatMap((line) => /VIDTV (\{.*\})/u.exec(line)?.[1] ?? [])
			.map((text) => stepSchema.parse(JSON.parse(text)))
			.map(({step, facts}) => [step, facts]),
	);

/** What the box's own role is told; the virtual adapter has a signal there. */
const carrier = {
	...{system: 'DVB-S2', frequencyKhz: 11_727_500, polarization: 'vertical', symbolRate: 27_500_000},
	...{modulation: '8PSK', codeRate: '3/4'},
};
const config = {stb: {tuner: {carriers: [carrier], announceTimeoutMs: 600_000, reopenDelayMs: 1000}}};

/** Where the driver has no signal, and where it has one. */
const [dark, lit] = [11_900_000, carrier.frequencyKhz];

test('a tuner of the kernel is listed, tuned, measured, scanned, read, lost, unplugged and plugged', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await vidtvImage({release: '1.0.0'});
	const fleet = await withMachineFleet(t);
	const machine = await withMachine(t, {fleet, image, id: 'stb-vidtv', seed: {config}});
	const told = (): Readonly<Record<string, unknown>> => stepsOf(machine.lines());
	const deadline = {timeoutMs: probeTimeoutMs, intervalMs: 500};
	const steps = await eventually(
		'both probes are done',
		() => 'done' in told() && 'role done' in told() && told(),
		deadline,
	);
	t.log(JSON.stringify(steps));
	t.is(steps['failed'], undefined);
	t.like(steps['list'], [{adapter: 0, frontend: 0, satellite: true}]);
	const {lockMs, statistics} = lockSchema.parse(steps['lock']);
	t.true(lockMs >= 0 && statistics.locked);
	// The driver's carrier is 19 dB above the noise, less up to a fiftieth, and its power 68 below that.
	t.true(
		statistics.cnrDb > 18.6 && statistics.cnrDb <= 19 && statistics.levelDbm > -49.5 && statistics.levelDbm <= -49,
	);
	t.is(steps['taken'], 'NATIVE_DVB_BUSY');
	t.like(steps['scan'], [
		{frequencyKhz: dark, locked: false, services: []},
		{frequencyKhz: lit, locked: true, services: [{serviceId: 2176, name: 'Beethoven', pids: [273]}]},
	]);
	t.like(steps['stream'], {outOfStep: 0, stats: {overruns: 0, dropped: 0, damaged: 0}});
	t.like(steps['some'], {pes: '000001bd', foreign: false, eventTable: 0x4e});
	t.deepEqual(steps['lost'], {lost: true, regained: true});
	t.true(steps['PLS'], 'a driver takes a property that it has no use for');
	t.deepEqual(steps['unplugged'], {refused: true, removed: 0, watched: 0, list: 0, opens: 'NATIVE_DVB_ABSENT'});
	t.deepEqual(steps['plugged'], [0]);
	t.true(steps['again']);
	t.like(steps['role is without'], {locked: false});
	t.like(steps['role locks'], {name: 'adapter0/frontend0', locked: true});
});
