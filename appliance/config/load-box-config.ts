import {open} from 'node:fs/promises';
import {
	configBytesMax,
	type LoadedBoxConfig,
	type ParseBoxConfigOptions,
	parseBoxConfig,
} from '#appliance/config/parse-box-config.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ApplianceErrorCode} from '#appliance/error/error-code.ts';

/**
 * Reads and parses the one YAML file of a box.
 * @throws CodedError APPLIANCE_CONFIG_UNREADABLE or APPLIANCE_CONFIG_INVALID
 */
export const loadBoxConfig = async <Config>(
	options: Omit<ParseBoxConfigOptions<Config>, 'text'>,
): Promise<LoadedBoxConfig<Config>> => parseBoxConfig({...options, text: await readBounded(options.filePath)});

/** One byte more than allowed is read, so that a device file or a huge one is refused and not swallowed whole. */
const readBounded = async (filePath: string): Promise<string> => {
	try {
		await using file = await open(filePath);
		const {buffer, bytesRead} = await file.read(Buffer.alloc(configBytesMax + 1), 0, configBytesMax + 1, 0);
		return buffer.toString('utf8', 0, bytesRead);
	} catch (error) {
		throw new CodedError<ApplianceErrorCode>('APPLIANCE_CONFIG_UNREADABLE', {
			message: `The box's file ${filePath} cannot be read; name an existing file with --config.`,
			cause: error,
			details: {filePath},
		});
	}
};
