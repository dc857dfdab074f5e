import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';

/** Runs a benchmark that the native build made, and answers its lines of JSON. */
export const runNativeBench = async (
	name: string,
	args: readonly string[],
	{signal}: {readonly signal: AbortSignal},
): Promise<readonly unknown[]> => {
	const path = fileURLToPath(new URL(`../../native/build/${name}`, import.meta.url));
	const {stdout} = await promisify(execFile)(path, args, {signal});
	return stdout
		.trim()
		.split('\n')
		.map((line) => JSON.parse(line) as unknown);
};
