import {createReadStream, createWriteStream} from 'node:fs';
import {pipeline} from 'node:stream/promises';
import {type Command, InvalidArgumentError, Option} from 'commander';
import {chooseModcod} from '#cli/modem/choose-modcod.ts';
import {stopSignal} from '#cli/stop-signal.ts';
import {type ModemStage, modemStages, openTransmitChain, type TransmitOptions} from '#native/modem/modem.ts';
import {rollOffs} from '#native/modem/roll-off.ts';

type Options = {
	readonly modcod: string;
	readonly frame: 'normal' | 'medium' | 'short';
	readonly pilots: boolean;
	readonly gold: number;
	readonly rollOff: TransmitOptions['rollOff'];
	readonly input: 'ts' | 'bbframe';
	readonly stage: ModemStage;
	readonly samplesPerSymbol: TransmitOptions['samplesPerSymbol'];
	readonly format: 'float' | 'integer';
	readonly output: string;
};

const portionBytes = 1024 * 1024;

export const registerModemCommand = (program: Command): void => {
	program
		.command('modem')
		.summary('modulate a transport stream or BBFRAMEs as DVB-S2 or S2X')
		.description('write any stage of the DVB-S2/S2X transmit chain (EN 302 307) from a file')
		.argument('<file>', 'a transport stream of 188-byte packets, or BBFRAMEs one behind the other; - is standard input')
		.requiredOption(
			'--modcod <name>',
			'"8PSK 3/4", 8psk-3/4, a PLS value from 0 to 255, or 256 + n for header n of VL-SNR',
		)
		.addOption(
			new Option('--frame <size>', 'FECFRAME; medium is VL-SNR alone')
				.choices(['normal', 'medium', 'short'])
				.default('normal'),
		)
		.option('--pilots', 'insert pilot symbols', false)
		.option('--gold <index>', 'of the physical layer scrambling sequence', parseGold, 0)
		.option('--roll-off <factor>', `one of ${rollOffs.join(', ')}`, parseRollOff, 0.2)
		.addOption(new Option('--input <form>', 'of the file').choices(['ts', 'bbframe']).default('ts'))
		.addOption(new Option('--stage <stage>', 'that is written').choices(modemStages).default('plframe'))
		.addOption(
			new Option('--samples-per-symbol <ratio>', 'of iq: 2, or a fraction such as 5/2')
				.argParser(parseRatio)
				.default(parseRatio('2'), '2'),
		)
		.addOption(
			new Option('--format <format>', 'of points: pairs of floats, or of 16-bit integers')
				.choices(['float', 'integer'])
				.default('float'),
		)
		.option('--output <file>', 'where it is written; - is standard output', '-')
		.addHelpText(
			'after',
			'\nStages, in order: bits (bbframe, bbscrambled, bch, ldpc), packed most significant first and without gaps;\n' +
				'labels, a byte a symbol (symidx); points (xfec, plframe, iq), little-endian.\n' +
				'\nExample:\n  $ ./streamverse modem in.ts --modcod "8PSK 3/4" --pilots --stage iq --output out.cf32',
		)
		.action(modulate);
};

const modulate = async (file: string, options: Options): Promise<void> => {
	const {gold, rollOff, input, stage, samplesPerSymbol, format, output} = options;
	const {pls, name, frame} = chooseModcod(options);
	const chain = openTransmitChain({pls, goldIndex: gold, input, stage, rollOff, samplesPerSymbol, format});
	const source = file === '-' ? process.stdin : createReadStream(file, {highWaterMark: portionBytes});
	const sink = output === '-' ? process.stdout : createWriteStream(output);
	await pipeline(
		source,
		async function* modulated(portions: AsyncIterable<Buffer>) {
			for await (const portion of portions) {
				yield chain.write(portion);
			}
			yield chain.finish();
		},
		sink,
		{signal: stopSignal(), end: output !== '-'},
	);
	const {frames, symbols} = chain.totals();
	process.stderr.write(`${frames} ${frame} frames of ${name}, ${symbols} symbols\n`);
};

const goldMax = 262_142;

const parseGold = (text: string): number => {
	const value = Number(text);
	if (!Number.isInteger(value) || value < 0 || value > goldMax) {
		throw new InvalidArgumentError(`It is a whole number from 0 to ${goldMax}.`);
	}
	return value;
};

const parseRollOff = (text: string): TransmitOptions['rollOff'] => {
	const found = rollOffs.find((each) => each === Number(text));
	if (found === undefined) {
		throw new InvalidArgumentError(`It is one of ${rollOffs.join(', ')}.`);
	}
	return found;
};

const parseRatio = (text: string): TransmitOptions['samplesPerSymbol'] => {
	const [, above, below = '1'] = /^(\d{1,4})(?:\/(\d{1,4}))?$/u.exec(text) ?? [];
	const ratio = {interpolate: Number(above), decimate: Number(below)};
	if (!(ratio.decimate > 0 && ratio.interpolate >= ratio.decimate)) {
		throw new InvalidArgumentError('It is a whole number or a fraction, and at least 1.');
	}
	return ratio;
};
