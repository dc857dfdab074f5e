import {execFile} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {blockSizeBytes} from '#ota/release/digest-bundle.ts';
import {sha256Of} from '#test/helper/sample-update.ts';

const run = promisify(execFile);
/** A bundle as RAUC makes it of an image (whole blocks), but for what no test needs: the image with its tree, the index, the bundle's tree, a signature. */
export const makeVerityBundle = async (directory: string, data: Buffer): Promise<Buffer> => {
	const image = join(directory, 'image');
	const salt = '5a'.repeat(32);
	const format = async (file: string, bytes: Buffer, ...more: string[]): Promise<Buffer> => {
		await writeFile(file, bytes);
		await run('veritysetup', ['format', file, file, `--hash-offset=${bytes.length}`, `--salt=${salt}`, ...more], {
			env: {...process.env, PATH: `${process.env['PATH']}:/usr/sbin`},
		});
		return await readFile(file);
	};
	const withTree = await format(image, data, '--uuid=5356524f-4f54-4000-8000-000000000002');
	const index = Buffer.concat(
		Array.from({length: withTree.length / blockSizeBytes}, (_, block) =>
			Buffer.from(sha256Of(withTree.subarray(block * blockSizeBytes, (block + 1) * blockSizeBytes)), 'hex'),
		),
	);
	const indexBlocks = Buffer.concat([index], Math.ceil(index.length / blockSizeBytes) * blockSizeBytes);
	const content = Buffer.concat([Buffer.alloc(blockSizeBytes, 1), withTree, indexBlocks]);
	const bundle = await format(join(directory, 'bundle'), content, '--no-superblock');
	const signature = Buffer.from(`verity-salt=${salt}\nverity-size=${bundle.length - content.length}\n`);
	const length = Buffer.alloc(8);
	length.writeBigUInt64BE(BigInt(signature.length));
	return Buffer.concat([bundle, signature, length]);
};
