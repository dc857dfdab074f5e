import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readdirSync, readFileSync} from 'node:fs';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import {demoReportSchema} from '#demo/report/report-schema.ts';
import {eventually} from '#test/helper/eventually.ts';
import {isProcessAlive} from '#test/helper/is-process-alive.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const mainPath = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const runTimeoutMs = 240_000;

type DemoProcess = {readonly child: ChildProcess; readonly output: () => string; readonly stateDirectory: string};

/** The command itself, with a folder of its own for what it keeps while it runs. */
const withDemo = async (
	t: ExecutionContext,
	args: readonly string[],
	environment: Readonly<Record<string, string>> = {},
): Promise<DemoProcess> => {
	const stateDirectory = await withDirectory(t);
	const child = spawn(process.execPath, [mainPath, 'demo', '--no-browser', ...args], {
		env: {...process.env, TMPDIR: stateDirectory, ...environment},
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	let output = '';
	child.stdout.on('data', (chunk: Buffer) => {
		output += chunk.toString();
	});
	child.stderr.on('data', (chunk: Buffer) => {
		output += chunk.toString();
	});
	return {child, output: () => output, stateDirectory};
};

const ended = async (demo: DemoProcess): Promise<number | null> => {
	const [code] = (await once(demo.child, 'exit', {signal: AbortSignal.timeout(runTimeoutMs)})) as [number | null];
	return code;
};

/** Processes whose command line names the demo's own folder: the supervisors, their roles and what they started. */
const processesOf = ({stateDirectory}: DemoProcess): readonly number[] =>
	readdirSync('/proc')
		.map(Number)
		.filter((pid) => Number.isInteger(pid) && isProcessAlive(pid))
		.filter((pid) => {
			try {
				return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(stateDirectory);
			} catch {
				return false;
			}
		});

test.serial(
	'the demo runs unattended, loses, repairs, plays, and everything that arrived is byte-identical',
	async (t) => {
		t.timeout(runTimeoutMs);
		const directory = await withDirectory(t);
		const reportPath = join(directory, 'report.json');
		const demo = await withDemo(t, ['--for', '20s', '--loss', '0.02', '--fade', '2s', '--report', reportPath]);
		const code = await ended(demo);
		t.log(demo.output().slice(-1200));
		const report = demoReportSchema.parse(JSON.parse(await readFile(reportPath, 'utf8')));
		t.is(code, report.ok ? 0 : 1);
		t.deepEqual(report.objects.different, []);
		t.true(report.objects.checked > 100 && report.objects.identical === report.objects.checked);
		t.is(report.objects.failed, 0);
		t.true(report.objects.signalling > 0 && report.objects.unknown === 0, 'the announcement is compared as well');
		const {packets, injectedRatio, fadedPackets} = report.loss;
		// Of all packets: those before the boxes ran were not lost.
		t.true(injectedRatio - fadedPackets / packets > 0.005 && fadedPackets > 0, JSON.stringify(report.loss));
		t.true(report.bytes.fecRecovered > 0);
		// How smooth it is belongs to the machine; that there is a picture does not.
		for (const playback of [report.playback.vod, report.playback.live]) {
			t.not(playback.startupMs, null);
			t.true(playback.framesDecoded > 50, JSON.stringify(playback));
			t.is(playback.error, undefined);
		}
		// What the machine took from the sender is missing; how exactly it keeps its rate is tested where it is made.
		t.true(report.carousel.rateErrorRatio < 0.5, String(report.carousel.rateErrorRatio));
		t.deepEqual(
			readdirSync(demo.stateDirectory).filter((name) => name.startsWith('streamverse-demo-')),
			[],
		);
		t.deepEqual(processesOf(demo), []);
	},
);

for (const form of ['mpe', 'gse']) {
	test.serial(
		`the demo runs through ${form.toUpperCase()}, and what arrives is byte-identical all the same`,
		async (t) => {
			t.timeout(runTimeoutMs);
			const reportPath = join(await withDirectory(t), 'report.json');
			const demo = await withDemo(t, ['--for', '10s', '--fade', '0', '--uplink', form, '--report', reportPath]);
			await ended(demo);
			t.log(demo.output().slice(-1200));
			const {objects, playback, signal} = demoReportSchema.parse(JSON.parse(await readFile(reportPath, 'utf8')));
			t.true(objects.checked > 50 && objects.identical === objects.checked);
			t.true(playback.vod.framesDecoded > 50 && playback.live.framesDecoded > 50, JSON.stringify(playback));
			t.like(signal, {form, modcod: '8PSK 3/4', droppedDatagrams: 0});
			t.true((signal?.datagrams ?? 0) > 1000);
		},
	);
}

test.serial('Ctrl-C ends the demo with everything that it started, and leaves nothing behind', async (t) => {
	t.timeout(runTimeoutMs);
	const demo = await withDemo(t, []);
	await eventually('the boxes run', () => demo.output().includes('Ctrl-C ends it'), {timeoutMs: 120_000});
	t.true(processesOf(demo).length >= 6, 'three supervisors and three roles');
	demo.child.kill('SIGINT');
	t.is(await ended(demo), 0);
	t.regex(demo.output(), /ended\n$/u);
	await eventually('its processes are gone', () => processesOf(demo).length === 0);
	t.deepEqual(readdirSync(demo.stateDirectory), []);
});

test.serial('a second Ctrl-C ends the demo at once, and still leaves nothing behind', async (t) => {
	t.timeout(runTimeoutMs);
	const demo = await withDemo(t, []);
	await eventually('the boxes run', () => demo.output().includes('Ctrl-C ends it'), {timeoutMs: 120_000});
	demo.child.kill('SIGINT');
	setTimeout(() => demo.child.kill('SIGINT'), 50);
	// The first may be quicker.
	t.true([0, 130].includes((await ended(demo)) ?? -1));
	await eventually('its processes are gone', () => processesOf(demo).length === 0, {timeoutMs: 30_000});
	t.deepEqual(readdirSync(demo.stateDirectory), []);
});

test.serial('what the demo lacks is told in a sentence before anything starts', async (t) => {
	const directory = await withDirectory(t);
	const file = join(directory, 'file');
	await writeFile(file, 'x');
	const cases: readonly (readonly [readonly string[], Readonly<Record<string, string>>, RegExp])[] = [
		[['--media', join(directory, 'nowhere')], {}, /--media .*nowhere cannot be read: .*DEMO_ARGUMENT_INVALID/u],
		[['--media', file], {}, /is no folder; .*DEMO_ARGUMENT_INVALID/u],
		[[], {PATH: directory}, /install Debian’s ffmpeg package\. \(DEMO_FFMPEG_MISSING\)/u],
	];
	for (const [args, environment, expected] of cases) {
		const demo = await withDemo(t, args, environment);
		t.is(await ended(demo), 1);
		t.regex(demo.output(), expected);
		t.false(demo.output().includes('starting'));
		t.deepEqual(readdirSync(demo.stateDirectory), []);
	}
});

test.serial('options that make no sense are refused before anything starts', async (t) => {
	for (const args of [['--loss', '2'], ['--loss', 'much'], ['--for', 'ever'], ['--seed', 'x'], ['--unknown']]) {
		const demo = await withDemo(t, args);
		t.is(await ended(demo), 64, args.join(' '));
		t.false(demo.output().includes('starting'));
	}
});
