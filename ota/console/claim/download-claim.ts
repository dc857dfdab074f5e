import type {CreatedClaim} from '#ota/contract/claim-api.ts';

/** Offers the claim as the file that the box wants; the server tells its token this once. */
export const downloadClaim = ({claim, file}: CreatedClaim): void => {
	const link = document.createElement('a');
	link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, '\t')], {type: 'application/json'}));
	link.download = `${claim.deviceId ?? claim.id}.claim.json`;
	link.click();
	URL.revokeObjectURL(link.href);
};
