import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import type {ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import {withDirectory} from '#test/helper/with-directory.ts';

export type BoxFile = {readonly filePath: string; readonly stateDirectory: string};

/** A set-top box's file with quick supervision, and a state directory that is there. */
export const withBoxFile = async (
	t: ExecutionContext,
	sections: {readonly supervisor?: object; readonly stb?: object; readonly fleet?: object} = {},
): Promise<BoxFile> => {
	const directory = await withDirectory(t);
	const stateDirectory = path.join(directory, 'state');
	await mkdir(stateDirectory);
	const filePath = path.join(directory, 'box.yaml');
	const content = {
		version: 1,
		box: {id: 'box-1', kind: 'stb', stateDirectory},
		supervisor: {
			listen: {port: 0},
			restartDelayMinMs: 20,
			restartDelayMaxMs: 200,
			stopTimeoutMs: 10_000,
			...sections.supervisor,
		},
		...(sections.fleet === undefined ? {} : {fleet: sections.fleet}),
		stb: sections.stb ?? {},
	};
	await writeFile(filePath, stringify(content));
	return {filePath, stateDirectory};
};
