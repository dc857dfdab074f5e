import {inspect} from 'node:util';
import {errorCode, errorMessage} from '#appliance/error/coded-error.ts';
import {exitCode} from '#appliance/process/exit-code.ts';

/** One readable line for a person; the whole error with `--verbose`. */
export const printError = (error: unknown, {verbose}: {readonly verbose: boolean}): void => {
	const code = errorCode(error);
	process.stderr.write(`streamverse: ${errorMessage(error)}${code === undefined ? '' : ` (${code})`}\n`);
	if (verbose) {
		process.stderr.write(`${inspect(error, {depth: 6})}\n`);
	}
};

export const exitCodeOf = (error: unknown): number => {
	const code = errorCode(error);
	if (code?.startsWith('APPLIANCE_CONFIG_') || code === 'OTA_CONFIG_INVALID') {
		return exitCode.configuration;
	}
	if (code?.endsWith('_UNKNOWN') || code === 'APPLIANCE_USAGE') {
		return exitCode.usage;
	}
	// Without a code nobody foresaw it.
	return code === undefined ? exitCode.software : exitCode.failure;
};
