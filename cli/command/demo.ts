import {type Command, InvalidArgumentError, Option} from 'commander';
import {exitCode} from '#appliance/process/exit-code.ts';
import {parseDurationMs} from '#cli/parse-duration.ts';
import {stopSignal} from '#cli/stop-signal.ts';
import {type SignalForm, signalForms} from '#demo/options.ts';

type DemoFlags = {
	readonly media?: string;
	readonly loss: number;
	readonly fade: number;
	readonly for?: number;
	readonly report?: string;
	readonly browser: boolean;
	readonly seed: number;
	readonly update: boolean;
	readonly uplink: SignalForm;
};

const parseRatio = (text: string): number => {
	const ratio = Number(text);
	if (text.trim() === '' || !(ratio >= 0 && ratio < 1)) {
		throw new InvalidArgumentError('A loss is a share from 0 to below 1, for example 0.02.');
	}
	return ratio;
};

const parseSeed = (text: string): number => {
	const seed = Number(text);
	if (!Number.isSafeInteger(seed) || text.trim() === '') {
		throw new InvalidArgumentError('A seed is a whole number.');
	}
	return seed;
};

export const registerDemoCommand = (program: Command): void => {
	program
		.command('demo')
		.summary('watch it work: three boxes, a lossy satellite, real video')
		.description(
			'start a headend, a pop-node and a set-top box on this machine, with a lossy multicast link between them,\nand watch real video go from the catalogue to a player',
		)
		.option('--media <dir>', 'a folder of titles instead of the sample that is encoded here')
		.option('--loss <ratio>', 'share of packets that the link loses', parseRatio, 0.02)
		.option('--fade <duration>', 'length of a rain fade that loses everything; 0 for none', parseDurationMs, 3000)
		.option(
			'--for <duration>',
			'unattended: play so long in headless Chromium, check everything, and end',
			parseDurationMs,
		)
		.option('--report <file>', 'with --for: write the figures as JSON, and screenshots beside it')
		.option('--seed <number>', 'the same seed gives the same losses', parseSeed, 1)
		.option(
			'--update',
			'also roll a second version out to two more set-tops, by the carousel, in two waves of which one falls back',
			false,
		)
		.addOption(
			new Option('--uplink <form>', 'between headend and dish: multicast, or a real DVB signal')
				.choices(signalForms)
				.default('ip'),
		)
		.option('--no-browser', 'do not open the page on this desktop')
		.addHelpText(
			'after',
			'\nExamples:\n  $ ./streamverse demo\n  $ ./streamverse demo --update\n  $ ./streamverse demo --uplink gse\n  $ ./streamverse demo --loss 0.1 --fade 10s\n  $ ./streamverse demo --for 60s --report build/demo-report.json',
		)
		.action(async (flags: DemoFlags) => {
			const {runDemo} = await import('#demo/run-demo.ts');
			const signal = stopSignal();
			try {
				const report = await runDemo({
					options: {
						mediaDirectory: flags.media,
						lossRatio: flags.loss,
						fadeMs: flags.fade,
						forMs: flags.for,
						reportPath: flags.report,
						openBrowser: flags.browser && flags.for === undefined,
						seed: flags.seed,
						update: flags.update,
						uplink: flags.uplink,
					},
					signal,
					output: process.stdout,
				});
				if (report !== undefined) {
					const {summarise} = await import('#demo/report/summarise.ts');
					process.stdout.write(`${summarise(report).join('\n')}\n`);
					process.exitCode = report.ok ? exitCode.success : exitCode.failure;
				}
			} catch (error) {
				if (!signal.aborted) {
					throw error;
				}
				process.stdout.write('ended\n');
			}
		});
};
