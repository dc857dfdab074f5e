import {readFile} from 'node:fs/promises';
import {networkInterfaces} from 'node:os';
import path from 'node:path';
import {z} from 'zod';
import type {Logger} from '#appliance/log/logger.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';

/** What held when the box left its old slot: its new one is measured by it, and not by what a site may lack. */
const beforeRebootSchema = z.object({
	version: z.literal(1),
	atMs: z.int(),
	/** Some card had an address that is more than one of its own making. */
	addressed: z.boolean(),
	/** The fleet was reached over TLS, so that the clock was about right. */
	connected: z.boolean(),
});
export type BeforeReboot = z.infer<typeof beforeRebootSchema>;

const fileIn = (directory: string): string => path.join(directory, 'before-reboot.json');

/** A box that cannot write it is updated all the same, and measured by less. */
export const writeBeforeReboot = async (
	directory: string,
	facts: Omit<BeforeReboot, 'version'>,
	logger: Logger,
): Promise<void> => {
	try {
		await writeDurably(fileIn(directory), JSON.stringify({version: 1, ...facts}), {mode: 0o600});
	} catch (error) {
		logger.warn({err: error}, 'what holds before the reboot cannot be noted');
	}
};

export const readBeforeReboot = async (directory: string): Promise<BeforeReboot | undefined> => {
	try {
		return beforeRebootSchema.parse(JSON.parse(await readFile(fileIn(directory), 'utf8')));
	} catch {
		// Never written, or torn: nothing is known, and nothing can be asked for.
		return undefined;
	}
};

const linkLocal = /^(?:169\.254\.|fe[89ab][0-9a-f]:)/iu;

export const isAddressed = (): boolean =>
	Object.values(networkInterfaces())
		.flatMap((addresses = []) => addresses)
		.some(({internal, address}) => !internal && !linkLocal.test(address));
