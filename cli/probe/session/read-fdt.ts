import {childrenOf, parseXml, requireRoot, type XmlNode} from '#appliance/xml/parse-xml.ts';
import type {ObjectGeometry} from '#cli/probe/packet/parse-alc.ts';

/** What an FDT instance says of one object (RFC 3926 section 3.4.2). */
export type FdtFile = {
	readonly toi: string;
	readonly uri: string;
	readonly contentType?: string | undefined;
	readonly contentEncoding?: string | undefined;
	/** Before content encoding. */
	readonly contentLength?: number | undefined;
	readonly transferLength?: number | undefined;
	readonly geometry?: ObjectGeometry | undefined;
	/** Lower-case hex over the object as it travels. */
	readonly sha256?: string | undefined;
	readonly hasMd5: boolean;
};

export type FdtInstance = {
	readonly expiresMs: number;
	readonly files: readonly FdtFile[];
	/** Entries without TOI or name, and such that were too many. */
	readonly refused: number;
};

const filesMax = 50_000;
const ntpEpochS = 2_208_988_800;
const digits = /^\d{1,15}$/u;

const numberOf = (text: string | undefined): number | undefined =>
	text !== undefined && digits.test(text) ? Number(text) : undefined;

/**
 * Reads an FDT instance.
 * @throws CodedError APPLIANCE_XML_…
 */
export const readFdt = (xml: string): FdtInstance => {
	const root = requireRoot(parseXml(xml), 'FDT-Instance');
	const nodes = childrenOf(root, 'File');
	const files = nodes.slice(0, filesMax).flatMap((node) => readFile(node, root) ?? []);
	return {
		expiresMs: ((numberOf(root.attributes.get('Expires')) ?? 0) - ntpEpochS) * 1000,
		files,
		refused: nodes.length - files.length,
	};
};

const readFile = (node: XmlNode, root: XmlNode): FdtFile | undefined => {
	// What is common to all files may stand on the instance.
	const attribute = (name: string): string | undefined => node.attributes.get(name) ?? root.attributes.get(name);
	const toi = node.attributes.get('TOI');
	const uri = node.attributes.get('Content-Location');
	if (toi === undefined || uri === undefined || !/^\d{1,34}$/u.test(toi)) {
		return undefined;
	}
	const contentLength = numberOf(node.attributes.get('Content-Length'));
	const transferLength = numberOf(node.attributes.get('Transfer-Length')) ?? contentLength;
	const encodingId = numberOf(attribute('FEC-OTI-FEC-Encoding-ID'));
	const symbolBytes = numberOf(attribute('FEC-OTI-Encoding-Symbol-Length'));
	const blockSymbolsMax = numberOf(attribute('FEC-OTI-Maximum-Source-Block-Length'));
	const isPlaced = [0, 5, 129].includes(encodingId ?? -1);
	const geometry =
		isPlaced && transferLength !== undefined && symbolBytes !== undefined && blockSymbolsMax !== undefined
			? {encodingId: encodingId ?? 0, transferLength, symbolBytes, blockSymbolsMax}
			: undefined;
	return {
		...{toi, uri, contentLength, transferLength, geometry},
		contentType: attribute('Content-Type'),
		contentEncoding: attribute('Content-Encoding')?.toLowerCase(),
		sha256: digestOf(node.attributes.get('Content-Digest') ?? node.attributes.get('Repr-Digest')),
		hasMd5: node.attributes.has('Content-MD5'),
	};
};

/** `sha-256=:base64:` (RFC 9530). */
const digestOf = (text: string | undefined): string | undefined => {
	const base64 = /^sha-256=:([A-Za-z0-9+/]{43}=):$/u.exec(text?.trim() ?? '')?.[1];
	return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex');
};
