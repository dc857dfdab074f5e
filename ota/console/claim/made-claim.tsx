import type {JSX} from 'preact';
import type {CreatedClaim} from '#ota/contract/claim-api.ts';
import {Button} from '../component/button.tsx';
import {Dialog} from '../component/dialog.tsx';
import {formatDateTime} from '../format/format-time.ts';
import {downloadClaim} from './download-claim.ts';
import {tokenCode} from './token-code.ts';

export type MadeClaimProps = {readonly made: CreatedClaim; readonly onClose: () => void};

/** Shown this once, as the server tells the token this once: on the screen or on paper a technician photographs it. */
export const MadeClaim = ({made, onClose}: MadeClaimProps): JSX.Element => {
	const {claim, file} = made;
	return (
		<Dialog title={`Claim for ${claim.deviceId ?? 'whichever box comes'}`} onClose={onClose}>
			<p>
				The file was downloaded: it is all that a new box needs. A box that has a claim of this fleet, but without a
				token or with one that ran out, needs no more than this token: photograph the code on the box’s page.
			</p>
			{file.token !== undefined && (
				<figure class="token-code">
					<img src={tokenCode(file.token)} alt="The token as a QR code" />
					<figcaption>
						<code>{file.token}</code>
						<p class="small">
							For one {claim.kind}
							{claim.site === null ? '' : ` of ${claim.site}`}, until {formatDateTime(claim.expiresMs)}. Shown this
							once.
						</p>
					</figcaption>
				</figure>
			)}
			<div class="actions">
				<Button onPress={() => downloadClaim(made)}>Download again</Button>
				<Button onPress={() => window.print()}>Print</Button>
				<Button look="primary" onPress={onClose}>
					Done
				</Button>
			</div>
		</Dialog>
	);
};
