import {globSync} from 'node:fs';
import {mkdir, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import Database from 'better-sqlite3';
import {parse} from 'yaml';
import {errorMessage} from '#appliance/error/coded-error.ts';
import {openAgentStore} from '#ota/agent/agent-store.ts';
import {isBootable, readBootVariables, slots} from '#test/bench/powercut/boot-variables.ts';
import {wholeReleaseIn} from '#test/bench/powercut/whole-release.ts';
import {dataPartitionLabel, dumpData} from '#test/helper/data-partition.ts';
import type {TestImage} from '#test/helper/with-image.ts';

/** Of a box, on its data partition. */
const kept = '/state/var/lib/streamverse';

export type DiskToJudge = {
	readonly diskPath: string;
	/** For copies of files; emptied. */
	readonly directory: string;
	readonly images: readonly TestImage[];
};

/** What is wrong with a disk that a cut of power has left, as far as it can be told without a boot. */
export const faultsOnDisk = async (disk: DiskToJudge): Promise<readonly string[]> => {
	try {
		return [...(await bootFaults(disk)), ...(await dataFaults(disk))];
	} catch (error) {
		return [`the disk cannot be read: ${errorMessage(error)}`];
	}
};

/** The boot loader must find a slot with a whole release, and no other. */
const bootFaults = async ({diskPath, images}: DiskToJudge): Promise<readonly string[]> => {
	const variables = readBootVariables(diskPath) ?? readBootVariables(diskPath, 'grubenv.second');
	const eligible = variables === undefined ? [slots[0]] : slots.filter((slot) => isBootable(variables, slot));
	const faults = eligible.length === 0 ? [`nothing may be booted: ${JSON.stringify(variables)}`] : [];
	for (const slot of eligible) {
		if ((await wholeReleaseIn(diskPath, slot, images)) === undefined) {
			faults.push(`slot ${slot} may be booted, and holds no whole release`);
		}
	}
	return faults;
};

/** What the box keeps must be there and whole, file by file. */
const dataFaults = async ({diskPath, directory}: DiskToJudge): Promise<readonly string[]> => {
	if (dataPartitionLabel(diskPath) !== 'data') {
		// The next boot makes it.
		return [];
	}
	await rm(directory, {recursive: true, force: true});
	await mkdir(directory, {recursive: true});
	dumpData(diskPath, {from: kept, directory});
	const faults: string[] = [];
	for (const name of globSync('**/*.{db,json,yaml,pem}', {cwd: directory})) {
		try {
			await requireWhole(join(directory, name));
		} catch (error) {
			faults.push(`${name} is not whole: ${errorMessage(error)}`);
		}
	}
	return faults;
};

const requireWhole = async (file: string): Promise<void> => {
	if (file.endsWith('.db')) {
		requireWholeDatabase(file);
		return;
	}
	const text = await readFile(file, 'utf8');
	if (file.endsWith('.json')) {
		JSON.parse(text);
	} else if (file.endsWith('.yaml')) {
		requireThat(typeof parse(text) === 'object' && parse(text) !== null, 'it says nothing');
	} else {
		requireThat(/-----END [A-Z ]+-----\s*$/u.test(text), 'it has no end');
	}
};

const requireWholeDatabase = (file: string): void => {
	{
		using store = file.endsWith('/agent.db') ? openAgentStore(file) : undefined;
		requireThat(
			store === undefined || store.readProgress() === undefined || store.readState() !== undefined,
			'no state',
		);
	}
	const database = new Database(file);
	try {
		const [answer] = database.pragma('integrity_check') as readonly {readonly integrity_check: string}[];
		requireThat(answer?.integrity_check === 'ok', `integrity_check: ${answer?.integrity_check}`);
	} finally {
		database.close();
	}
};

const requireThat = (holds: boolean, why: string): void => {
	if (!holds) {
		throw new Error(why);
	}
};
