import {X509Certificate} from 'node:crypto';
import {readFileSync} from 'node:fs';
import path from 'node:path';
import test from 'ava';
import {openImageKeys} from '#image/make/image-keys.ts';
import {enrolKeys, type SecureBootKeys} from '#image/qemu/enrol-keys.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const template = readFileSync('/usr/share/OVMF/OVMF_VARS_4M.fd');
/** Behind the volume's and the store's header. */
const firstVariableAt = 0x64;

const withKeys = async (t: Parameters<typeof withDirectory>[0]): Promise<SecureBootKeys> => {
	const directory = await withDirectory(t);
	openImageKeys(directory, {make: true});
	const read = (name: string): string => readFileSync(path.join(directory, `${name}.pem`), 'utf8');
	return {PK: read('PK'), KEK: read('KEK'), db: read('db')};
};

/** As the firmware walks them. */
const variablesOf = (volume: Buffer): readonly {readonly name: string; readonly data: Buffer}[] => {
	const found: {name: string; data: Buffer}[] = [];
	for (let at = firstVariableAt; volume.readUInt16LE(at) === 0x55aa; ) {
		const nameBytes = volume.readUInt32LE(at + 36);
		const dataBytes = volume.readUInt32LE(at + 40);
		const name = volume.toString('utf16le', at + 60, at + 60 + nameBytes - 2);
		const data = volume.subarray(at + 60 + nameBytes, at + 60 + nameBytes + dataBytes);
		found.push({name, data});
		at = Math.ceil((at + 60 + nameBytes + dataBytes) / 4) * 4;
	}
	return found;
};

test('the variables of a firmware get the three keys, and keep all else', async (t) => {
	const keys = await withKeys(t);
	const enrolled = enrolKeys(template, keys);
	t.is(enrolled.length, template.length);
	t.deepEqual(enrolled.subarray(0, firstVariableAt), template.subarray(0, firstVariableAt));
	const variables = variablesOf(enrolled);
	t.deepEqual(
		variables.map(({name}) => name),
		['PK', 'KEK', 'db'],
	);
	for (const {name, data} of variables) {
		t.is(data.readUInt32LE(16), data.length, 'the list is as long as it says');
		const certificate = new X509Certificate(data.subarray(28 + 16));
		t.is(certificate.subject, `O=StreamVerse\nCN=secure-boot-${name}`);
	}
});

test('what is no template, or has keys already, is told', async (t) => {
	const keys = await withKeys(t);
	const code = 'IMAGE_FIRMWARE_INVALID';
	t.throws(() => enrolKeys(enrolKeys(template, keys), keys), {code});
	t.throws(() => enrolKeys(Buffer.alloc(0), keys), {code});
	t.throws(() => enrolKeys(Buffer.alloc(template.length), keys), {code});
	const other = Buffer.from(template);
	other.writeUInt8(0, 0x48);
	t.throws(() => enrolKeys(other, keys), {code});
	t.throws(() => enrolKeys(template.subarray(0, 2000), keys), {code});
	t.throws(() => enrolKeys(template.subarray(0, 0x4a), keys), {code});
});
