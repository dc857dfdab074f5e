import {randomUUID} from 'node:crypto';
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import path from 'node:path';
import {hasCode} from '#appliance/error/coded-error.ts';

/** The name that was made at the first start in this state directory. */
export const readServerId = async (stateDirectory: string): Promise<string> => {
	const filePath = path.join(stateDirectory, 'server-id');
	const made = `${hostname()
		.toLowerCase()
		.replaceAll(/[^a-z0-9-]/gu, '-')
		.slice(0, 32)}-${randomUUID().slice(0, 8)}`;
	await mkdir(stateDirectory, {recursive: true, mode: 0o700});
	try {
		await writeFile(filePath, `${made}\n`, {flag: 'wx'});
		return made;
	} catch (error) {
		if (!hasCode(error, 'EEXIST')) {
			throw error;
		}
		return (await readFile(filePath, 'utf8')).trim();
	}
};
