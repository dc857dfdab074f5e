import {X509Certificate} from 'node:crypto';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';

/** Certificates in PEM: who may change the keys, who may change what is allowed, and whose programs are started. */
export type SecureBootKeys = {readonly PK: string; readonly KEK: string; readonly db: string};

/** Of the volume of variables (Platform Initialization, volume 3) and of EDK II's store of authenticated variables in it. */
const volumeSignature = '_FVH';
const volumeSignatureAt = 40;
const volumeHeaderBytesAt = 48;
const storeHeaderBytes = 28;
const storeSizeAt = 16;
const variableHeaderBytes = 60;
const variableAlignment = 4;
const variableStart = 0x55aa;
const stateAdded = 0x3f;
/** Non-volatile, at boot, at run time, changed by whom a signature with a time allows. */
const attributes = 0x27;
const erased = 0xff;

/** A GUID as UEFI writes it: the first three groups with their lowest byte first. */
const guid = (text: string): Buffer => {
	const [first = '', second = '', third = '', ...rest] = text.split('-');
	const swapped = [first, second, third].map((group) => Buffer.from(group, 'hex').reverse());
	return Buffer.concat([...swapped, Buffer.from(rest.join(''), 'hex')]);
};

const authenticatedStore = guid('aaf32c78-947b-439a-a180-2e144ec37792');
const globalVariable = guid('8be4df61-93ca-11d2-aa0d-00e098032b8c');
const imageSecurityDatabase = guid('d719b2cb-3d3a-4596-a3bc-dad00e67656f');
const certificateX509 = guid('a5c059a1-94e4-4aa7-87b5-ab155c2bf072');
const owner = guid('53564544-4745-4000-8000-00000000000f');

/**
 * The variables of EDK II's firmware for machines with keys in them: with a PK there, Secure Boot is on from the first start.
 * @param template - variables in which nothing is set, as the firmware's package has them
 * @throws CodedError IMAGE_FIRMWARE_INVALID when the template is something else
 */
export const enrolKeys = (template: Buffer, keys: SecureBootKeys): Buffer => {
	const {start, end} = storeOf(template);
	const records = [
		variable('PK', globalVariable, keys.PK),
		variable('KEK', globalVariable, keys.KEK),
		variable('db', imageSecurityDatabase, keys.db),
	];
	const enrolled = Buffer.from(template);
	const all = Buffer.concat(records);
	if (start + all.length > end || template.subarray(start, start + all.length).some((byte) => byte !== erased)) {
		throw firmwareInvalid('have no room, or keys already');
	}
	all.copy(enrolled, start);
	return enrolled;
};

const storeOf = (volume: Buffer): {readonly start: number; readonly end: number} => {
	const isVolume =
		volume.length > volumeHeaderBytesAt + 2 &&
		volume.toString('latin1', volumeSignatureAt, volumeSignatureAt + volumeSignature.length) === volumeSignature;
	const at = isVolume ? volume.readUInt16LE(volumeHeaderBytesAt) : 0;
	if (!isVolume || volume.length < at + storeHeaderBytes) {
		throw firmwareInvalid('are no volume');
	}
	if (!volume.subarray(at, at + authenticatedStore.length).equals(authenticatedStore)) {
		throw firmwareInvalid('are not of authenticated ones');
	}
	const size = volume.readUInt32LE(at + storeSizeAt);
	return {start: at + storeHeaderBytes, end: Math.min(at + size, volume.length)};
};

const variable = (name: string, vendor: Buffer, pem: string): Buffer => {
	const nameBytes = Buffer.from(`${name}\0`, 'utf16le');
	const data = signatureList(new X509Certificate(pem).raw);
	const header = Buffer.alloc(variableHeaderBytes);
	header.writeUInt16LE(variableStart, 0);
	header.writeUInt8(stateAdded, 2);
	header.writeUInt32LE(attributes, 4);
	// Of all the times, the first: whatever the owner of the key signs is later.
	header.writeUInt16LE(1, 16);
	header.writeUInt8(1, 18);
	header.writeUInt8(1, 19);
	header.writeUInt32LE(nameBytes.length, 36);
	header.writeUInt32LE(data.length, 40);
	vendor.copy(header, 44);
	const record = Buffer.concat([header, nameBytes, data]);
	const padding = (variableAlignment - (record.length % variableAlignment)) % variableAlignment;
	return Buffer.concat([record, Buffer.alloc(padding, erased)]);
};

/** EFI_SIGNATURE_LIST of one certificate (UEFI 2.10, section 32.4.1). */
const signatureList = (certificate: Buffer): Buffer => {
	const header = Buffer.alloc(28);
	const entryBytes = owner.length + certificate.length;
	certificateX509.copy(header, 0);
	header.writeUInt32LE(header.length + entryBytes, 16);
	header.writeUInt32LE(0, 20);
	header.writeUInt32LE(entryBytes, 24);
	return Buffer.concat([header, owner, certificate]);
};

const firmwareInvalid = (what: string): CodedError<ImageErrorCode> =>
	new CodedError('IMAGE_FIRMWARE_INVALID', {message: `The firmware’s variables ${what}.`});
