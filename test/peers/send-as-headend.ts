import type {ExecutionContext} from 'ava';
import {bytesToTransportObject} from '#headend/carousel/transport-object.ts';
import {type FdtFile, writeFdt} from '#headend/carousel/write-fdt.ts';
import {fecGeometryOf} from '#headend/schedule/wire-size.ts';
import type {FluteJob} from '#native/flute/sender.ts';
import {eventually} from '#test/helper/eventually.ts';
import {withFluteSender} from '#test/helper/with-flute-sender.ts';

export type OurTransmission = {
	readonly objects: readonly {readonly uri: string; readonly contentType: string; readonly bytes: Uint8Array}[];
	readonly link: {readonly group: string; readonly port: number};
	readonly fec: Parameters<typeof fecGeometryOf>[1];
	readonly tsi?: number;
	readonly firstToi?: number;
	readonly widthBits?: 16 | 32 | 48;
	readonly version?: 1 | 2;
	/** Compresses the FDT instance; not by default. */
	readonly fdt?: {
		readonly contentEncoding: NonNullable<FluteJob['contentEncoding']>;
		readonly compress: (bytes: Buffer) => Buffer;
	};
	/** Compresses the objects that are worth it. */
	readonly gzip?: boolean;
	readonly fti?: boolean;
	readonly until: () => boolean;
};

/** Sends what the headend would: its FDT, and its objects with a close-object flag each; again until it is enough. */
export const sendAsHeadend = async (t: ExecutionContext, options: OurTransmission): Promise<void> => {
	const {tsi = 1, firstToi = 1, widthBits = 32, version = 1, fti = false} = options;
	const {sender, events} = withFluteSender(t, {rateBps: 20_000_000});
	const destination = {group: options.link.group, port: options.link.port};
	const files: readonly FdtFile[] = await Promise.all(
		options.objects.map(async (object, index) => {
			const transport = await bytesToTransportObject(object, {gzip: options.gzip ?? false});
			return {toi: firstToi + index, object: transport, fec: fecGeometryOf(transport.transferLength, options.fec)};
		}),
	);
	const xml = Buffer.from(writeFdt({files, md5: true, expiresMs: Date.now() + 600_000}));
	const body = options.fdt === undefined ? xml : options.fdt.compress(xml);
	const common = {lane: 'main', destination, tsi, widthBits};
	const signal = AbortSignal.timeout(60_000);
	await eventually(
		'the peer has everything',
		async () => {
			sender.enqueue({
				...common,
				toi: 0,
				source: {kind: 'bytes', bytes: body},
				fec: jobFec(fecGeometryOf(body.length, {...options.fec, encodingId: 0})),
				fdt: {instanceId: 0xf_ff_ff, version},
				...(options.fdt === undefined ? {} : {contentEncoding: options.fdt.contentEncoding}),
				senderTime: true,
			});
			for (const {toi, object, fec} of files) {
				sender.enqueue({...common, toi, source: object.source, fec: jobFec(fec), fti, closeObject: true});
			}
			await sender.drain({signal});
			return options.until();
		},
		{timeoutMs: 60_000, intervalMs: 500},
	);
	t.false(events.some(({kind}) => kind === 'failed'));
};

const jobFec = ({encodingId, symbolBytes, sourceBlockSymbolsMax, repairSymbolsPerBlock}: FdtFile['fec']) => ({
	encodingId,
	symbolBytes,
	sourceBlockSymbolsMax,
	repairSymbolsPerBlock,
});
