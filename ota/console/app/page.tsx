import type {JSX} from 'preact';
import {AccountsPage} from '../account/accounts-page.tsx';
import {AlertsPage} from '../alert/alerts-page.tsx';
import {AuditPage} from '../audit/audit-page.tsx';
import {BoxPage} from '../box/box-page.tsx';
import {BoxesPage} from '../boxes/boxes-page.tsx';
import {ClaimsPage} from '../claim/claims-page.tsx';
import {Empty} from '../component/empty.tsx';
import {Link} from '../component/link.tsx';
import {OverviewPage} from '../overview/overview-page.tsx';
import {ReleasePage} from '../release/release-page.tsx';
import {ReleasesPage} from '../release/releases-page.tsx';
import {RolloutPage} from '../rollout/rollout-page.tsx';
import {RolloutWizard} from '../rollout/rollout-wizard.tsx';
import {RolloutsPage} from '../rollout/rollouts-page.tsx';
import {SitesPage} from '../site/sites-page.tsx';
import {pathParts} from '../state/router.ts';

/** The page that the address names. */
export const Page = (): JSX.Element => {
	const [area, id, tab] = pathParts.value;
	switch (area) {
		case undefined:
			return <OverviewPage />;
		case 'boxes':
			return id === undefined ? <BoxesPage /> : <BoxPage key={id} id={id} tab={tab} />;
		case 'rollouts':
			if (id === undefined) {
				return <RolloutsPage />;
			}
			return id === 'new' ? <RolloutWizard /> : <RolloutPage key={id} id={id} />;
		case 'releases':
			return id === undefined ? <ReleasesPage /> : <ReleasePage key={id} version={id} />;
		case 'alerts':
			return <AlertsPage tab={id} />;
		case 'audit':
			return <AuditPage />;
		case 'accounts':
			return <AccountsPage tab={id} />;
		case 'sites':
			return <SitesPage />;
		case 'claims':
			return <ClaimsPage />;
		default:
			return (
				<Empty icon="help" title="There is no such page.">
					<Link to="/">To the overview</Link>
				</Empty>
			);
	}
};
