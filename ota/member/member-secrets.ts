import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {parse} from 'yaml';
import {createRedactor, redactStructure, secretsOfEnvironment} from '#appliance/diagnostics/bundle/redact.ts';

/** Takes out of a text every secret that this box holds: of its file, its environment, its claim and its key. */
export const redactorOfBox = async (options: {
	readonly directory: string;
	readonly boxFilePath: string;
	readonly config: unknown;
}): Promise<(text: string) => string> => {
	const known = new Set(secretsOfEnvironment(process.env));
	redactStructure(options.config, known);
	const read = async (filePath: string): Promise<string> => await readFile(filePath, 'utf8').catch(() => '');
	try {
		redactStructure(parse(await read(options.boxFilePath)), known);
		redactStructure(JSON.parse((await read(path.join(options.directory, 'claim.json'))) || '{}'), known);
	} catch {
		// A file that is no YAML or JSON is none that we take secrets from; patterns still apply.
	}
	const keyPem = await read(path.join(options.directory, 'key.pem'));
	return createRedactor([...known, ...keyPem.split('\n').filter((line) => !line.startsWith('-----'))]);
};
