import {createHash} from 'node:crypto';
import {errorMessage} from '#appliance/error/coded-error.ts';
import type {FindingBook} from '#cli/probe/finding.ts';
import type {AlcPacket} from '#cli/probe/packet/parse-alc.ts';
import {blockGeometry} from '#cli/probe/session/block-geometry.ts';
import {DocumentAssembly, decodeDocument, documentBytesMax} from '#cli/probe/session/document.ts';
import {type FdtFile, readFdt} from '#cli/probe/session/read-fdt.ts';

/** Instances that are put together at a time; senders have one or two under way. */
const assembliesMax = 16;
/** Descriptions kept of one session. */
const filesMax = 100_000;
/** Digests of instances, to see whether one changes under its id. */
const digestsMax = 4096;

/** The file delivery table of one session. */
export class FdtTrack {
	readonly files = new Map<string, FdtFile>();
	readonly #where: string;
	readonly #findings: FindingBook;
	readonly #onFile: (file: FdtFile) => void;
	readonly #assemblies = new Map<string, DocumentAssembly>();
	readonly #digests = new Map<number, string>();
	#lastExpiresMs: number | undefined;

	constructor(options: {
		readonly where: string;
		readonly findings: FindingBook;
		readonly onFile: (file: FdtFile) => void;
	}) {
		this.#where = options.where;
		this.#findings = options.findings;
		this.#onFile = options.onFile;
	}

	get instances(): number {
		return this.#digests.size;
	}

	take(packet: AlcPacket, _timeMs: number): void {
		const {fdt, fti, symbol, payload} = packet;
		if (fdt === undefined || fti === undefined || symbol === undefined || fti.transferLength > documentBytesMax) {
			return;
		}
		const key = `${fdt.instanceId} ${fti.transferLength} ${fti.symbolBytes}`;
		let assembly = this.#assemblies.get(key);
		if (assembly === undefined) {
			const geometry = blockGeometry(fti);
			if (geometry === undefined || geometry.symbols === 0) {
				return;
			}
			assembly = new DocumentAssembly(geometry);
			this.#assemblies.set(key, assembly);
			const [oldest] = this.#assemblies.keys();
			if (this.#assemblies.size > assembliesMax && oldest !== undefined) {
				this.#assemblies.delete(oldest);
			}
		}
		const bytes = assembly.take(symbol, payload);
		if (bytes !== undefined) {
			// Its next transmission is put together again: that is how a changed one is seen.
			this.#assemblies.delete(key);
			this.#complete(fdt.instanceId, bytes, packet.contentEncoding);
		}
	}

	/** Whether the capture's last word is one that receivers may still believe. */
	finish(lastMs: number, senderOffsetMs: number | undefined): void {
		const expiresMs = this.#lastExpiresMs;
		if (expiresMs !== undefined && expiresMs < lastMs + (senderOffsetMs ?? 0)) {
			this.#add('error', 'RFC 3926 section 3.4.2', 'The newest FDT instance had expired when it was sent');
		}
	}

	#complete(instanceId: number, bytes: Buffer, encoding: number | undefined): void {
		const digest = createHash('sha256').update(bytes).digest('hex');
		const known = this.#digests.get(instanceId);
		if (known === digest) {
			return;
		}
		if (known !== undefined) {
			this.#add('error', 'RFC 3926 section 3.4.1', 'The body of an FDT instance changed under its instance id');
		} else if (this.#digests.size < digestsMax) {
			this.#digests.set(instanceId, digest);
		}
		try {
			const {files, expiresMs, refused} = readFdt(decodeDocument(bytes, encoding).toString('utf8'));
			this.#lastExpiresMs = expiresMs;
			this.#judge(files, refused);
			for (const file of files) {
				if (this.files.size < filesMax) {
					this.files.set(file.toi, file);
					this.#onFile(file);
				}
			}
		} catch (error) {
			this.#add('error', 'RFC 3926 section 3.4.2', `An FDT instance cannot be read: ${errorMessage(error)}`);
		}
	}

	#judge(files: readonly FdtFile[], refused: number): void {
		if (files.length === 0) {
			this.#add('error', 'RFC 3926 section 3.4.2', 'An FDT instance describes no file');
		}
		if (refused > 0) {
			this.#add('error', 'RFC 3926 section 3.4.2', 'File entries without TOI or Content-Location', refused);
		}
		const vague = files.filter(({transferLength}) => transferLength === undefined).length;
		if (vague > 0) {
			this.#add('warning', 'RFC 3926 section 3.4.2', 'Files without Content-Length or Transfer-Length', vague);
		}
		const weak = files.filter(({hasMd5, sha256}) => hasMd5 && sha256 === undefined).length;
		if (weak > 0) {
			this.#add('note', 'TS 103 769 annex F', 'Files are verified by Content-MD5 alone, which is deprecated', weak);
		}
		for (const {geometry, uri} of files.slice(0, 1)) {
			if (geometry?.encodingId === 129) {
				this.#add('warning', 'TS 103 769 clause 10.2', `FEC Encoding ID 129 is none of DVB’s, for example of ${uri}`);
			}
		}
	}

	#add(severity: 'error' | 'warning' | 'note', clause: string, message: string, count = 1): void {
		this.#findings.add({severity, clause, where: this.#where, message}, count);
	}
}
