import {readFile} from 'node:fs/promises';

/** RAUC's names (system-conf.ts) of the slots as the boot loader calls them. */
const slotNames: Readonly<Record<string, string>> = {A: 'rootfs.0', B: 'rootfs.1', R: 'factory.0'};

/** Nothing is behind it: when it fails as well there is nothing left to fall back to. */
export const factorySlot = 'factory.0';

/** The slot that runs, as the initrd has noted it, whether or not RAUC answers; undefined on a machine with another initrd. */
export const readBootedSlot = async (runDirectory = '/run/streamverse'): Promise<string | undefined> => {
	const name = await readFile(`${runDirectory}/boot-slot`, 'utf8').catch(() => '');
	return slotNames[name.trim()];
};
