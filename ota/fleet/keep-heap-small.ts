import {Session} from 'node:inspector/promises';
import v8 from 'node:v8';

/** Beyond what lived at the last full collection. V8 alone lets it grow fourfold on a machine with much memory. */
export const heapGrowthPercent = 40;

/**
 * For the command line of the process, because V8 fixes the size of its young generation before any of our code runs. What
 * a message makes is garbage within milliseconds, and three such spaces are resident.
 */
export const fleetNodeArguments: readonly string[] = ['--max-semi-space-size=16'];

/**
 * A fleet server keeps nothing per box: what its heap gains while boxes talk is garbage that nobody has looked for yet,
 * and V8 looks the later the more memory the machine has. To be called when the server is ready: the full collection
 * sets the first limit by what lives then, and not by V8's half a gigabyte for a heap that it does not know.
 */
export const keepHeapSmall = async (): Promise<void> => {
	v8.setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
	const session = new Session();
	session.connect();
	try {
		await session.post('HeapProfiler.collectGarbage');
	} finally {
		session.disconnect();
	}
};
