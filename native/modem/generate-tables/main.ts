// Turns the standard's tables in fact/ into C++: `node main.ts OUTPUT.cpp`. Run by the build; what it writes is
// declared in src/tables.hpp and is not committed.
import {readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {argv} from 'node:process';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';

type Code = {
	readonly id: string;
	readonly frame: 'normal' | 'medium' | 'short';
	readonly rate: string;
	readonly Nldpc: number;
	readonly Nbch: number;
	readonly Kbch: number;
	readonly t: number;
	readonly q: number;
};

type Modcod = {
	readonly pls: number;
	readonly name: string;
	readonly modulation?: string | null;
	readonly ldpc_rate?: string;
	readonly frame: string;
	readonly pilots: boolean;
	/** None: such a MODCOD does not exist (9/10 of a short frame), or its frames are another kind (VL-SNR). */
	readonly slots?: number;
};

type VlSnrMode = {
	readonly name: string;
	readonly frame: 'normal' | 'medium' | 'short';
	readonly ldpc: string;
	readonly bits_per_symbol: number;
	readonly spread: number;
	readonly set: number;
	readonly pls: number;
	readonly header_index: number;
	readonly Xs: number;
	readonly P: number;
	readonly Xp: number;
	readonly Kbch: number;
	readonly Nbch: number;
	readonly sent_bits: number;
	readonly plframe_symbols: number;
};

type Point = readonly [number, number];

type Constellation = {
	readonly bits: number;
	readonly labels: readonly (readonly [ring: number, numerator: number, denominator: number])[];
	readonly radii: readonly {readonly ldpc_rate: string; readonly frame: string; readonly R: readonly number[]}[];
	readonly explicit_points?: readonly {readonly ldpc_rate: string; readonly points: readonly Point[]}[];
};

const fact = <Type>(name: string): Type =>
	JSON.parse(readFileSync(fileURLToPath(new URL(`../fact/${name}.json`, import.meta.url)), 'utf8')) as Type;

const {codes} = fact<{readonly codes: readonly Code[]}>('frames');
const {tables} = fact<{readonly tables: Readonly<Record<string, {readonly rows: readonly (readonly number[])[]}>>}>(
	'ldpc_tables',
);
const {families} = fact<{
	readonly families: Readonly<
		Record<
			string,
			{
				readonly g: readonly {readonly hex: string}[];
				readonly generator: Readonly<Record<string, {readonly hex: string}>>;
			}
		>
	>;
}>('bch');
const {entries: modcods, ...pls} = fact<{
	readonly entries: readonly Modcod[];
	readonly sof_bits: string;
	readonly pls_generator_rows_32: readonly string[];
	readonly pls_scrambling_hex: string;
}>('pls');
const {constellations} = fact<{readonly constellations: Readonly<Record<string, Constellation>>}>('constellations');
const {entries: interleavers} = fact<{
	readonly entries: readonly {
		readonly modulation: string;
		readonly ldpc_rate: string;
		readonly frame: string;
		readonly order: string | null;
	}[];
}>('interleaver');

const {tables: thresholdTables} = fact<{
	readonly tables: readonly {readonly esN0Db: Readonly<Record<string, number>>}[];
}>('thresholds');

const {modes: vlSnrModes, sequences_896_hex: vlSnrHeaders} = fact<{
	readonly modes: readonly VlSnrMode[];
	readonly sequences_896_hex: readonly string[];
}>('vlsnr');

const found = <Type>(value: Type | undefined, what: string): Type => {
	if (value === undefined) {
		throw new Error(`fact/ has no ${what}.`);
	}
	return value;
};

/** Left-aligned without its leading one, so that every degree up to 192 is divided by the same code. */
const polynomialOf = ({frame, t}: Code): string => {
	const value = BigInt(found(families[frame]?.generator[t]?.hex, `BCH polynomial ${frame} ${t}`));
	const degree = value.toString(2).length - 1;
	const aligned = (value ^ (1n << BigInt(degree))) << BigInt(192 - degree);
	const words = [128n, 64n, 0n].map((shift) => `0x${((aligned >> shift) & 0xffff_ffff_ffff_ffffn).toString(16)}u`);
	return `{${degree}, {${words.join(', ')}}}`;
};

const codeLines = (code: Code, index: number): readonly string[] => {
	const {rows} = found(tables[code.id], `LDPC table ${code.id}`);
	const ends = rows.map((_row, row) => rows.slice(0, row + 1).reduce((sum, {length}) => sum + length, 0));
	return [
		`constexpr uint16_t kAddresses${index}[] = {${rows.flat().join(',')}};`,
		`constexpr uint16_t kRowEnds${index}[] = {${ends.join(',')}};`,
	];
};

const frameSizes = {normal: 'FrameSize::kNormal', medium: 'FrameSize::kMedium', short: 'FrameSize::kShort'} as const;

const codeEntry = (code: Code, index: number): string =>
	[
		`{${frameSizes[code.frame]}, "${code.rate}", ${code.Kbch}, ${code.Nbch}, ${code.Nldpc}, ${code.q}, ${code.t}`,
		`${polynomialOf(code)}, ${found(families[code.frame]?.g[0]?.hex, `BCH field of ${code.frame}`)}, kAddresses${index}, kRowEnds${index}}`,
	].join(', ');

const pointsOf = (name: string, rate: string, frame: string): readonly Point[] => {
	const constellation = found(constellations[name], `constellation ${name}`);
	const explicit = constellation.explicit_points?.find((each) => each.ldpc_rate === rate);
	if (explicit !== undefined) {
		return explicit.points;
	}
	const radii = constellation.radii.find((each) => each.ldpc_rate === rate && each.frame === frame)?.R ?? [1];
	return constellation.labels.map(([ring, numerator, denominator]) => {
		const radius = found(radii[ring - 1], `radius ${ring} of ${name} ${rate} ${frame}`);
		const angle = (Math.PI * numerator) / denominator;
		return [radius * Math.cos(angle), radius * Math.sin(angle)];
	});
};

/** Constellations that look alike are one: most rates of a modulation share theirs. */
const pointLists: string[] = [];

const pointListOf = ({modulation, ldpc_rate: rate, frame}: Modcod): number => {
	const text = pointsOf(modulation ?? '', rate ?? '', frame)
		.map(([i, q]) => `{${i.toExponential(12)}f, ${q.toExponential(12)}f}`)
		.join(', ');
	const known = pointLists.indexOf(text);
	return known === -1 ? pointLists.push(text) - 1 : known;
};

const thresholdOf = ({name, frame}: Modcod): string => {
	const threshold = thresholdTables.find(({esN0Db}) => name in esN0Db)?.esN0Db[name];
	return threshold === undefined || frame !== 'normal' ? '__builtin_nanf("")' : `${threshold.toFixed(2)}f`;
};

const modcodEntry = (modcod: Modcod): string => {
	const {modulation, ldpc_rate: rate, frame, name, slots, pilots} = modcod;
	if (modulation === undefined || modulation === null || slots === undefined) {
		return '{}';
	}
	const code = codes.findIndex((each) => each.frame === frame && each.rate === rate);
	const {bits} = found(constellations[modulation], `constellation ${modulation}`);
	const interleaver = found(
		interleavers.find((each) => each.modulation === modulation && each.ldpc_rate === rate && each.frame === frame),
		`interleaver of ${name} ${frame}`,
	);
	const order = interleaver.order === null ? 'nullptr' : `"${interleaver.order}"`;
	return [
		`{"${name}", "${modulation}", &kCodes[${found(code === -1 ? undefined : code, `code ${frame} ${rate}`)}]`,
		`kPoints${pointListOf(modcod)}, ${order}, ${slots}, ${bits}, ${pilots}, ${thresholdOf(modcod)}}`,
	].join(', ');
};

const vlSnrInner = (mode: VlSnrMode): Code =>
	found(
		codes.find(({id}) => id === mode.ldpc),
		`code ${mode.ldpc}`,
	);

/** What is sent of a code's words. */
const vlSnrCode = (mode: VlSnrMode): string => {
	const {Kbch, Nbch, sent_bits: Nldpc, name} = mode;
	const [, rate = ''] = name.split(' ');
	const inner = vlSnrInner(mode);
	return codeEntry({...inner, rate, Kbch, Nbch, Nldpc}, codes.indexOf(inner));
};

const slotsOf = ({plframe_symbols: symbols}: VlSnrMode): number =>
	Math.round((symbols - 90 + 36 / 16) / (90 + 36 / 16));

const vlSnrEntry = (mode: VlSnrMode, index: number): string => {
	const {name, bits_per_symbol: bits, spread, set, pls: value, header_index: header, Xs, P, Xp} = mode;
	const [modulation] = name.split(' ');
	const points =
		bits === 2
			? `kPoints${pointListOf({pls: value, name, modulation: 'QPSK', frame: 'normal', pilots: true})}`
			: 'nullptr';
	return [
		`{{"${name}", "${modulation}", &kVlSnrCodes[${index}], ${points}, nullptr, ${slotsOf(mode)}, ${bits}, true`,
		`__builtin_nanf(""), &kVlSnr[${index}]}, ${value}, ${header}, kVlSnrHeader${index}`,
		`&kCodes[${codes.indexOf(vlSnrInner(mode))}], ${Xs}, ${Xp}, ${P}, ${spread}, ${set}}`,
	].join(', ');
};

const headerLine = ({header_index: header}: VlSnrMode, index: number): string => {
	const bytes = Buffer.from(found(vlSnrHeaders[header], `VL-SNR header ${header}`), 'hex');
	return `constexpr uint8_t kVlSnrHeader${index}[] = {${[...bytes].join(',')}};`;
};

const entries = modcods.map(modcodEntry);
const vlSnrEntries = vlSnrModes.map(vlSnrEntry);
const {
	positionals: [output = ''],
} = parseArgs({args: argv.slice(2), allowPositionals: true});
writeFileSync(
	path.resolve(output),
	[
		'// Made by native/modem/generate-tables/main.ts.',
		'#include "modem/src/tables.hpp"',
		'namespace streamverse::modem {',
		'namespace {',
		...codes.flatMap(codeLines),
		...pointLists.map((points, index) => `constexpr Point kPoints${index}[] = {${points}};`),
		...vlSnrModes.map(headerLine),
		`constexpr Code kVlSnrCodes[] = {\n${vlSnrModes.map(vlSnrCode).join(',\n')}};`,
		'}  // namespace',
		`extern const Code kCodes[kCodeCount] = {\n${codes.map(codeEntry).join(',\n')}};`,
		`extern const Modcod kModcods[256] = {\n${entries.join(',\n')}};`,
		`extern const VlSnr kVlSnr[kVlSnrCount] = {\n${vlSnrEntries.join(',\n')}};`,
		`extern const char kSofBits[27] = "${pls.sof_bits}";`,
		`extern const uint32_t kPlsRows[7] = {${pls.pls_generator_rows_32.map((row) => `${row}u`).join(', ')}};`,
		`extern const uint64_t kPlsScrambling = ${pls.pls_scrambling_hex.startsWith('0x') ? '' : '0x'}${pls.pls_scrambling_hex}u;`,
		'}  // namespace streamverse::modem',
		'',
	].join('\n'),
);
