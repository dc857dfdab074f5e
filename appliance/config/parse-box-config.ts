import path from 'node:path';
import {type Document, isMap, isNode, isScalar, LineCounter, parseDocument} from 'yaml';
import type {z} from 'zod';
import {type BoxConfig, boxConfigSchema} from '#appliance/config/box-config-schema.ts';
import {
	type ConfigMistake,
	type ConfigPath,
	formatMistakes,
	mistakesOf,
	unknownKey,
} from '#appliance/config/config-mistake.ts';
import {type BoxKind, boxKindSchema} from '#appliance/contract/box-schema.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {ApplianceErrorCode} from '#appliance/error/error-code.ts';

/** A box's file is written by hand; anything longer is not one. */
export const configBytesMax = 1024 * 1024;
const mistakesMax = 100;
/** Aliases multiply: without a limit a few lines of YAML become gigabytes. */
const aliasCountMax = 100;

const sharedKeys: ReadonlySet<string> = new Set(['version', 'box', 'log', 'supervisor', 'fleet']);

export type LoadedBoxConfig<Config> = Pick<BoxConfig, 'box' | 'log' | 'supervisor'> & {
	/** Undefined: the box belongs to no fleet. */
	readonly fleet?: BoxConfig['fleet'];
	/** The role's own section, parsed by the role's schema. */
	readonly role: Config;
};

export type ParseBoxConfigOptions<Config> = {
	readonly text: string;
	readonly filePath: string;
	/** The schema of a kind's section, or undefined for a kind that this process cannot judge. */
	readonly sectionSchemaOf: (kind: BoxKind) => z.ZodType<Config> | undefined;
	/** Refuses the file of another kind of box. */
	readonly kind?: BoxKind | undefined;
};

/**
 * Parses a box's YAML text and tells every mistake at once, each with its path and line.
 * @throws CodedError APPLIANCE_CONFIG_INVALID with `details.mistakes`
 */
export const parseBoxConfig = <Config>(options: ParseBoxConfigOptions<Config>): LoadedBoxConfig<Config> => {
	const {filePath} = options;
	const {document, lineOf} = readYaml(options);
	const root: unknown = toPlain(document, filePath);
	const mistakes: ConfigMistake[] = [];

	const kind = boxKindSchema.safeParse(at(at(root, 'box'), 'kind')).data;
	if (options.kind !== undefined && kind !== undefined && kind !== options.kind) {
		const message = `is ${kind}, but this process runs a ${options.kind}`;
		mistakes.push({path: 'box.kind', line: lineOf(['box', 'kind']), message});
	}
	const shared = boxConfigSchema.safeParse(root);
	if (!shared.success) {
		mistakes.push(...mistakesOf(shared.error, {below: [], lineOf}));
	}
	for (const key of Object.keys(isRecord(root) ? root : {})) {
		if (!sharedKeys.has(key) && key !== kind) {
			mistakes.push(unknownKey([key], lineOf));
		}
	}
	const section = kind && options.sectionSchemaOf(kind)?.safeParse(at(root, kind) ?? {});
	if (kind !== undefined && section?.success === false) {
		mistakes.push(...mistakesOf(section.error, {below: [kind], lineOf}));
	}
	if (mistakes.length > 0 || !shared.success) {
		throw invalid(filePath, mistakes);
	}
	const {box, log, supervisor, fleet} = shared.data;
	// A relative directory is meant from where the file lies, so that it does not depend on who starts the box.
	const stateDirectory = path.resolve(path.dirname(path.resolve(filePath)), box.stateDirectory);
	return {
		...{box: {...box, stateDirectory}, log, supervisor},
		...(fleet === undefined ? {} : {fleet: atFile(fleet, filePath)}),
		role: section?.data as Config,
	};
};

const atFile = (fleet: NonNullable<BoxConfig['fleet']>, filePath: string): NonNullable<BoxConfig['fleet']> => {
	const absolute = (name: string): string => path.resolve(path.dirname(path.resolve(filePath)), name);
	const {claimFile, installer} = fleet;
	return {
		...fleet,
		...(claimFile === undefined ? {} : {claimFile: absolute(claimFile)}),
		installer: installer.kind === 'directory' ? {...installer, directory: absolute(installer.directory)} : installer,
	};
};

const readYaml = ({text, filePath}: {readonly text: string; readonly filePath: string}) => {
	if (Buffer.byteLength(text) > configBytesMax) {
		throw invalid(filePath, [{path: '', message: `is longer than ${configBytesMax} bytes`}]);
	}
	const lineCounter = new LineCounter();
	let document: Document.Parsed;
	try {
		document = parseDocument(text, {lineCounter, prettyErrors: false, strict: true, uniqueKeys: true});
	} catch (error) {
		// Nesting of some thousand levels exhausts the parser's stack.
		throw invalid(filePath, [{path: '', message: `cannot be read as YAML: ${errorMessage(error)}`}], error);
	}
	if (document.errors.length > 0) {
		throw invalid(
			filePath,
			document.errors.map((error) => ({
				path: '',
				line: lineCounter.linePos(error.pos[0]).line,
				message: error.message,
			})),
		);
	}
	const lineOf = (keys: ConfigPath): number | undefined => {
		const offset = offsetOf(document, keys);
		return offset === undefined ? undefined : lineCounter.linePos(offset).line;
	};
	return {document, lineOf};
};

/** Where the key (or list item) stands; undefined when the file does not hold it. */
const offsetOf = (document: Document.Parsed, keys: ConfigPath): number | undefined => {
	const key = keys.at(-1);
	if (key === undefined) {
		return undefined;
	}
	const holder = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
	if (isMap(holder)) {
		const pair = holder.items.find((item) => isScalar(item.key) && item.key.value === key);
		return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
	}
	const node = document.getIn(keys, true);
	return isNode(node) ? node.range?.[0] : undefined;
};

const toPlain = (document: Document.Parsed, filePath: string): unknown => {
	try {
		return document.toJS({maxAliasCount: aliasCountMax}) ?? {};
	} catch (error) {
		throw invalid(filePath, [{path: '', message: `cannot be read: ${errorMessage(error)}`}], error);
	}
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const at = (value: unknown, key: string): unknown =>
	isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;

const invalid = (filePath: string, all: readonly ConfigMistake[], cause?: unknown): CodedError<ApplianceErrorCode> => {
	const mistakes = all.slice(0, mistakesMax);
	return new CodedError<ApplianceErrorCode>('APPLIANCE_CONFIG_INVALID', {
		message: `${filePath} has ${all.length} mistake${all.length === 1 ? '' : 's'}:\n${formatMistakes(filePath, mistakes)}`,
		details: {filePath, mistakes},
		cause,
	});
};
