import {mkdir, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {TlsCredentials} from '#ota/fleet/authority/open-authority.ts';
import {brokerFileNames} from '#ota/fleet/broker/mosquitto-config.ts';

const privateMode = 0o600;

/** Each file is replaced by a rename: mosquitto may read it at any moment. */
export const writeBrokerFiles = async (
	directory: string,
	files: Partial<Record<keyof typeof brokerFileNames, string>>,
): Promise<void> => {
	await mkdir(directory, {recursive: true, mode: 0o700});
	for (const [name, text] of Object.entries(files)) {
		const path = join(directory, brokerFileNames[name as keyof typeof brokerFileNames]);
		await writeFile(`${path}.new`, text, {mode: privateMode, flush: true});
		await rename(`${path}.new`, path);
	}
};

export const credentialFiles = ({keyPem, certificatePem}: TlsCredentials): {key: string; certificate: string} => ({
	key: keyPem,
	certificate: certificatePem,
});
