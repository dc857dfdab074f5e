import {readFile} from 'node:fs/promises';
import {LineCounter, parse, YAMLParseError} from 'yaml';
import {z} from 'zod';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import {type FleetConfig, fleetConfigSchema} from '#ota/fleet/config/fleet-config-schema.ts';
import type {FleetErrorCode} from '#ota/fleet/fleet-error.ts';

const aliasCountMax = 20;
const databaseUrlPattern = /^(?:postgres(?:ql)?:\/\/|sqlite:.)/u;

/** The file, what flags say over it, and `DATABASE_URL` when neither names a database. Every mistake is told at once. */
export const loadFleetConfig = async (options: {
	readonly filePath: string | undefined;
	readonly flags: {readonly port?: number | undefined; readonly host?: string | undefined};
	readonly environment: Readonly<Record<string, string | undefined>>;
}): Promise<FleetConfig> => {
	const {filePath, flags, environment} = options;
	const parsed = fleetConfigSchema.safeParse(filePath === undefined ? {} : await readYaml(filePath));
	if (!parsed.success) {
		throw invalid(`${filePath} is not right:\n${z.prettifyError(parsed.error)}`, parsed.error);
	}
	const config = parsed.data;
	const databaseUrl = config.databaseUrl ?? environment['DATABASE_URL'];
	if (databaseUrl !== undefined && databaseUrl !== '' && !databaseUrlPattern.test(databaseUrl)) {
		// It is not repeated: it holds a password.
		throw invalid('databaseUrl (DATABASE_URL) must begin with postgres:// or sqlite:', undefined);
	}
	return {
		...config,
		...(databaseUrl === undefined || databaseUrl === '' ? {} : {databaseUrl}),
		operator: {
			...config.operator,
			...(flags.port === undefined ? {} : {port: flags.port}),
			...(flags.host === undefined ? {} : {host: flags.host}),
		},
	};
};

const readYaml = async (filePath: string): Promise<unknown> => {
	const lineCounter = new LineCounter();
	try {
		// A pretty error repeats the line, which may hold a secret.
		const options = {maxAliasCount: aliasCountMax, prettyErrors: false, lineCounter};
		return parse(await readFile(filePath, 'utf8'), options) ?? {};
	} catch (error) {
		if (error instanceof YAMLParseError) {
			const {line, col} = lineCounter.linePos(error.pos[0]);
			throw invalid(`${filePath} is no YAML at line ${line}, column ${col}: ${error.message}`, error);
		}
		throw invalid(`${filePath} cannot be read: ${errorMessage(error)}`, error);
	}
};

const invalid = (message: string, cause: unknown): CodedError<FleetErrorCode> =>
	new CodedError('OTA_CONFIG_INVALID', {message, cause});
