import {toolText} from '#appliance/diagnostics/run-tool.ts';

const rebootTimeoutMs = 60_000;

/** An orderly reboot of the machine; resolves when it was begun. */
export const rebootMachine = async (): Promise<void> => {
	await toolText('systemctl', {args: ['reboot'], bytesMax: 1024, signal: AbortSignal.timeout(rebootTimeoutMs)});
};
