import {runTool} from '#appliance/diagnostics/run-tool.ts';
import {hasCode} from '#appliance/error/coded-error.ts';

const toolTimeoutMs = 60_000;
const outputBytesMax = 64 * 1024;

/**
 * GPT's second header goes to the end of the disk, which the image cannot know. False when it was not moved: the first
 * boot of a box does the same, so this is a courtesy to firmware that complains.
 */
export const moveBackupTable = async (devicePath: string, signal: AbortSignal): Promise<boolean> => {
	const deadline = AbortSignal.any([signal, AbortSignal.timeout(toolTimeoutMs)]);
	try {
		const {exitCode} = await runTool('sgdisk', {args: ['-e', devicePath], bytesMax: outputBytesMax, signal: deadline});
		return exitCode === 0;
	} catch (error) {
		signal.throwIfAborted();
		if (hasCode(error, 'DIAGNOSTICS_NOT_HERE') || deadline.aborted) {
			return false;
		}
		throw error;
	}
};
