import {runTool} from '#appliance/diagnostics/run-tool.ts';
import {hasCode} from '#appliance/error/coded-error.ts';

const toolTimeoutMs = 60_000;
const outputBytesMax = 64 * 1024;

/**
 * Makes the image's GPT the disk's own: its second header goes to the end of the disk, which the image cannot know, and
 * its GUIDs (UEFI 2.10 section 5.3.2) become random ones, by one of which the firmware tells the box which disk it started
 * from. False when that was not done: the first boot of a box moves the header as well, and by the image's GUIDs a box is
 * known until a second disk of the same image is plugged into it.
 */
export const makeTableOwn = async (devicePath: string, signal: AbortSignal): Promise<boolean> => {
	const deadline = AbortSignal.any([signal, AbortSignal.timeout(toolTimeoutMs)]);
	try {
		const args = ['--move-second-header', '--randomize-guids', devicePath];
		const {exitCode} = await runTool('sgdisk', {args, bytesMax: outputBytesMax, signal: deadline});
		return exitCode === 0;
	} catch (error) {
		signal.throwIfAborted();
		if (hasCode(error, 'DIAGNOSTICS_NOT_HERE') || deadline.aborted) {
			return false;
		}
		throw error;
	}
};
