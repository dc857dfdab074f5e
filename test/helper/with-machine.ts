import {createWriteStream} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {makeDisk} from '#image/qemu/run-image.ts';
import {startMachine} from '#image/qemu/start-machine.ts';
import type {Seed} from '#image/seed/seed-schema.ts';
import {projectRoot} from '#native/project-root.ts';
import {type BoxDetail, boxDetailSchema} from '#ota/contract/box-api.ts';
import {bootVariablesOf, plantSeed} from '#test/helper/box-disk.ts';
import {eventually} from '#test/helper/eventually.ts';
import {freePort} from '#test/helper/free-port.ts';
import {type TestOwner, withDirectory} from '#test/helper/with-directory.ts';
import {type TestFleet, withFleet} from '#test/helper/with-fleet.ts';
import {type TestImage, testArchitecture} from '#test/helper/with-image.ts';
import {claimOf} from '#test/helper/with-slot-box.ts';

/** The host's loopback, as QEMU's user network has it. */
export const hostInGuest = '10.0.2.2';
/** Of a test that offers one release after the other, on a host that is busy; each wait has a deadline of its own. */
const machineLifeMs = 6 * 60 * 60_000;
/** Five times what a machine on two quiet cores takes to serve: others may be busy there. */
export const bootTimeoutMs = 5 * (testArchitecture === 'amd64' ? 95_000 : 200_000);
const linesShown = 40;
/** Each machine's console, by its name, with the seconds since it was switched on: for who looks into a failure. */
const logDirectory = join(projectRoot, 'build/machine-log');

export type TestMachine = {
	readonly id: string;
	/** Of the role. */
	readonly url: string;
	/** Of the technician's page. */
	readonly commissionUrl: string;
	readonly lines: () => readonly string[];
	readonly diskPath: string;
	/** GRUB's variables, as they lie on the disk while the machine runs. */
	readonly bootVariables: () => string;
	/** What the fleet knows of it. */
	readonly box: () => Promise<BoxDetail>;
	/** What is waited for, or at once the failure that nobody is there any more to do it. */
	readonly whileItRuns: <Answer>(work: Promise<Answer>) => Promise<Answer>;
	/** Waits for what the fleet knows of the box; fails with that and the console's last lines. */
	readonly until: (
		what: string,
		condition: (box: BoxDetail) => boolean,
		options?: {readonly timeoutMs?: number},
	) => Promise<BoxDetail>;
};

/** A whole fleet server that a machine reaches. */
export const withMachineFleet = (t: TestOwner, config: Readonly<Record<string, unknown>> = {}): Promise<TestFleet> =>
	withFleet(t, {config: {...config, publicHost: hostInGuest}});

export type TestMachineOptions = {
	readonly fleet: TestFleet;
	readonly image: TestImage;
	readonly id: string;
	/** What the technician says besides, such as the network. */
	readonly seed?: Partial<Seed>;
	/** Brings the seed to the box that is off; default: onto its boot partition, as `streamverse flash` does. */
	readonly plant?: typeof plantSeed;
	/** Of a cable to other machines, as `startMachine` has it. */
	readonly cable?: {readonly port: number; readonly hardwareAddress: string};
	/** With keys in them, by which the firmware enforces Secure Boot. */
	readonly firmwareVariables?: string;
	readonly firmware?: 'u-boot' | undefined;
	/** What the box's disk is plugged into. */
	readonly diskBus?: 'usb';
	/** Of QEMU, besides. */
	readonly extraArguments?: readonly string[];
	/** Breaks the disk before the machine is switched on. */
	readonly damage?: (diskPath: string) => void | Promise<void>;
};

/** A box in QEMU with the claim of a fleet in its seed, switched on. It ends with the test. */
export const withMachine = async (
	t: TestOwner,
	{fleet, image, id, seed, plant = plantSeed, cable, damage, ...options}: TestMachineOptions,
): Promise<TestMachine> => {
	const directory = await withDirectory(t);
	const diskPath = join(directory, 'disk.img');
	await makeDisk(image.diskPath, diskPath);
	await plant(diskPath, {
		directory,
		seed: {
			...{version: 1, deviceId: id as NonNullable<Seed['deviceId']>, claim: await claimOf(fleet, id, image.kind)},
			...seed,
		},
	});
	await damage?.(diskPath);
	const [httpPort, commissionPort] = [await freePort(), await freePort()];
	const machine = await startMachine({
		...{diskPath, architecture: image.architecture, stateDirectory: directory},
		forwards: {[httpPort]: 80, [commissionPort]: 8078},
		...options,
		...(cable === undefined ? {} : {cablePort: cable.port, cableAddress: cable.hardwareAddress}),
		...{signal: AbortSignal.timeout(machineLifeMs), onLine: await consoleLog(t, id)},
	});
	t.teardown(() => machine[Symbol.asyncDispose]());
	// Of what systemd waits for it tells twice a second.
	const lines = (): readonly string[] => machine.serial.lines().filter((line) => !/ Job .* running /u.test(line));
	const box = async (): Promise<BoxDetail> => boxDetailSchema.parse((await fleet.call(`GET /boxes/${id}`)).body);
	const died = machine.ended.then((code): never => {
		throw new Error(`QEMU has ended (${code}): ${machine.complaint()}`);
	});
	// It ends with every test.
	died.catch(() => undefined);
	const whileItRuns = <Answer>(work: Promise<Answer>): Promise<Answer> => Promise.race([work, died]);
	return {
		...{id, lines, box, diskPath, whileItRuns},
		bootVariables: () => bootVariablesOf(diskPath),
		url: `http://127.0.0.1:${httpPort}/`,
		commissionUrl: `http://127.0.0.1:${commissionPort}/`,
		until: async (what, condition, {timeoutMs = bootTimeoutMs} = {}) => {
			let seen: BoxDetail | undefined;
			const ask = async (): Promise<BoxDetail | false> => {
				seen = await box();
				return condition(seen) && seen;
			};
			return await whileItRuns(eventually(what, ask, {timeoutMs, intervalMs: 500})).catch((cause: unknown) => {
				const tail = lines().slice(-linesShown).join('\n');
				throw new Error(`${what}: ${JSON.stringify(seen)}\nThe console's last lines:\n${tail}`, {cause});
			});
		},
	};
};

const consoleLog = async (t: TestOwner, id: string): Promise<(line: string) => void> => {
	await mkdir(logDirectory, {recursive: true});
	const file = createWriteStream(join(logDirectory, `${id}.log`));
	t.teardown(() => file.end());
	const startedMs = performance.now();
	return (line) => file.write(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(7)} ${line}\n`);
};
