import {writeFile} from 'node:fs/promises';
import {type Command, InvalidArgumentError, Option} from 'commander';
import {exitCode} from '#appliance/process/exit-code.ts';
import {parseDurationMs} from '#cli/parse-duration.ts';
import type {ProbeReport} from '#cli/probe/report/probe-report.ts';
import type {ProbeOptions} from '#cli/probe/run-probe.ts';
import {stopSignal} from '#cli/stop-signal.ts';
import {polarizations, universalLnb} from '#native/dvb/tuner.ts';
import type {ReceiverOptions} from '#native/modem/receiver.ts';

type Flags = {
	readonly json: boolean;
	readonly report?: string;
	readonly for: number;
	readonly interface?: string;
	readonly follow: boolean;
	readonly bitRate?: number;
	readonly samples?: 'float' | 'integer';
	readonly symbolRate: number;
	readonly samplesPerSymbol: number;
	readonly rollOff: string;
	readonly gold: number;
	readonly frequency?: number;
	readonly polarization: (typeof polarizations)[number];
	readonly port?: number;
};

/** A stream that was read, and breaks a standard. */
const errorsFoundCode = 3;
const progressIntervalMs = 500;

const units: Readonly<Record<string, number>> = {'': 1, k: 1e3, M: 1e6, G: 1e9};

const parseRate = (text: string): number => {
	const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kMG]?)$/u.exec(text) ?? [];
	const bps = Number(number) * (units[unit] ?? Number.NaN);
	if (!(bps > 0)) {
		throw new InvalidArgumentError('A rate is bits per second, such as 61273400, 61.3M or 800k.');
	}
	return bps;
};

const rollOffNames = ['0.35', '0.25', '0.2', '0.15', '0.1', '0.05'] as const;
const goldMax = 262_142;

const parseSamplesPerSymbol = (text: string): number => {
	const value = Number(text);
	if (!(value >= 1 && value <= 16)) {
		throw new InvalidArgumentError('It is a number from 1 to 16.');
	}
	return value;
};

const parseGold = (text: string): number => {
	const value = Number(text);
	if (!Number.isInteger(value) || value < 0 || value > goldMax) {
		throw new InvalidArgumentError(`It is a whole number from 0 to ${goldMax}.`);
	}
	return value;
};

const frequencyMegahertz = {min: 2000, max: 32_000} as const;

const parseFrequency = (text: string): number => {
	const value = Number(text);
	if (!(value >= frequencyMegahertz.min && value <= frequencyMegahertz.max)) {
		throw new InvalidArgumentError('It is MHz as the satellite sends, such as 11727.5.');
	}
	return value;
};

const parsePort = (text: string): number => {
	if (!/^[0-3]$/u.test(text)) {
		throw new InvalidArgumentError('It is 0, 1, 2 or 3.');
	}
	return Number(text);
};

export const registerProbeCommand = (program: Command): void => {
	program
		.command('probe')
		.summary('find out what is on a signal, a stream, a capture or a multicast group')
		.description(
			'find out what is on a source: networks, NIP services, sessions, objects with sizes and cycle times,\nrates of each layer, losses, and what a standard forbids, each with its clause',
		)
		.argument(
			'<source>',
			'a pcap or pcapng file; a file of transport packets, BBFRAMEs or I/Q (.cf32, .cs16);\na group: 224.0.23.14:3937, udp://239.1.1.1:5000, rtp://SOURCE@232.1.1.1:5000;\na tuner of this machine: tuner:0',
		)
		.option('--json', 'print everything as JSON', false)
		.option('--report <file>', 'also write one HTML file with pictures')
		.option('--for <duration>', 'listen to a group or a tuner for so long', parseDurationMs, 10_000)
		.option('--interface <address>', 'join on the interface of this address')
		.option('--no-follow', 'do not join what the announcement of a group lists')
		.option('--bit-rate <rate>', 'of a file whose senders tell no time, such as 61.3M', parseRate)
		.addOption(
			new Option('--samples <format>', 'the file is I/Q, pairs of 32-bit floats or 16-bit integers').choices([
				'float',
				'integer',
			]),
		)
		.option('--symbol-rate <rate>', 'of I/Q or a carrier, such as 27.5M', parseRate, 27_500_000)
		.option('--samples-per-symbol <number>', 'of I/Q, 1 to 16', parseSamplesPerSymbol, 2)
		.addOption(new Option('--roll-off <factor>', 'of I/Q').choices(rollOffNames).default('0.2'))
		.option('--gold <index>', 'of the physical layer scrambling of I/Q or a carrier', parseGold, 0)
		.option('--frequency <MHz>', 'of the carrier that a tuner looks at, such as 11727.5', parseFrequency)
		.addOption(new Option('--polarization <which>', 'of that carrier').choices(polarizations).default('vertical'))
		.option('--port <number>', 'of the DiSEqC switch before the tuner, 0 to 3', parsePort)
		.addHelpText(
			'after',
			`\nExit codes: 0 nothing is wrong; ${errorsFoundCode} something breaks a standard; ${exitCode.failure} the source cannot be read; ${exitCode.usage} wrong call.\n` +
				'\nExamples:\n  $ ./streamverse probe capture.pcapng\n  $ ./streamverse probe mux.ts --report mux.html' +
				'\n  $ ./streamverse probe 224.0.23.14:3937 --for 60s --interface 10.0.0.5 --json' +
				'\n  $ ./streamverse probe tuner:0 --frequency 11727.5 --polarization vertical --symbol-rate 27.5M',
		)
		.action(probe);
};

const probe = async (source: string, flags: Flags): Promise<void> => {
	const {runProbe} = await import('#cli/probe/run-probe.ts');
	const progress = createProgress();
	let report: ProbeReport;
	try {
		report = await runProbe({
			source,
			forMs: flags.for,
			interfaceAddress: flags.interface,
			follows: flags.follow,
			bitRateBps: flags.bitRate,
			samples: flags.samples,
			tuning: {
				symbolRate: flags.symbolRate,
				samplesPerSymbol: flags.samplesPerSymbol,
				rollOff: Number(flags.rollOff) as ReceiverOptions['rollOff'],
				goldIndex: flags.gold,
			},
			carrier: carrierOf(flags),
			signal: stopSignal(),
			onProgress: progress.show,
		});
	} finally {
		progress.clear();
	}
	if (flags.report !== undefined) {
		const {formatHtml} = await import('#cli/probe/report/format-html.ts');
		await writeFile(flags.report, formatHtml(report));
	}
	const {formatText} = await import('#cli/probe/report/format-text.ts');
	process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : formatText(report));
	if (report.findings.some(({severity}) => severity === 'error')) {
		process.exitCode = errorsFoundCode;
	}
};

const carrierOf = ({frequency, polarization, symbolRate, gold, port}: Flags): ProbeOptions['carrier'] =>
	frequency === undefined
		? undefined
		: {
				tuning: {
					system: 'DVB-S2',
					frequencyKhz: Math.round(frequency * 1000),
					...{polarization, symbolRate, plsIndex: gold},
				},
				antenna: {lnb: universalLnb, ...(port === undefined ? {} : {committed: port})},
			};

/** One line that is overwritten, and only where somebody looks. */
const createProgress = () => {
	let shownMs = performance.now();
	let isShown = false;
	return {
		show: ({bytes, total}: {readonly bytes: number; readonly total?: number | undefined}): void => {
			if (process.stderr.isTTY && performance.now() - shownMs >= progressIntervalMs) {
				shownMs = performance.now();
				isShown = true;
				const megabytes = `${(bytes / 1e6).toFixed(0)} MB`;
				const share =
					total === undefined ? '' : ` of ${(total / 1e6).toFixed(0)} MB, ${Math.floor((bytes / total) * 100)} %`;
				process.stderr.write(`\r\u001b[K${megabytes}${share}`);
			}
		},
		clear: (): void => {
			if (isShown) {
				process.stderr.write('\r\u001b[K');
			}
		},
	};
};
