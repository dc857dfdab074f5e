import test from 'ava';
import {z} from 'zod';
import {eventually} from '#test/helper/eventually.ts';
import {bootTimeoutMs, withMachine, withMachineFleet} from '#test/helper/with-machine.ts';
import {vidtvImage} from '#test/helper/with-vidtv.ts';

const testTimeoutMs = 45 * 60_000;
const probeTimeoutMs = bootTimeoutMs + 8 * 60_000;
const stepSchema = z.object({step: z.string(), facts: z.unknown()});

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

test('a tuner of the kernel is listed, tuned, measured, scanned, read, lost, unplugged and plugged', async (t) => {
	t.timeout(testTimeoutMs);
	const image = await vidtvImage({release: '1.0.0'});
	const fleet = await withMachineFleet(t);
	const machine = await withMachine(t, {fleet, image, id: 'stb-vidtv', seed: {config}});
	const steps = await eventually(
		'both probes are done',
		() => {
			const told = stepsOf(machine.lines());
			return 'done' in told && 'role done' in told && told;
		},
		{timeoutMs: probeTimeoutMs, intervalMs: 500},
	);
	t.log(JSON.stringify(steps, null, '\t'));
	t.is(steps['failed'], undefined);
});
