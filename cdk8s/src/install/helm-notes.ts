// What Helm prints after an install or an upgrade.
import { OPERATOR } from '../names.ts';

export function notes(): string {
  return `Parley's operator {{ .Chart.AppVersion }} is in the namespace {{ .Release.Namespace }}. It looks after the ChatClusters of
{{- if .Values.watchNamespace }} the namespace {{ .Values.watchNamespace }}{{ else }} all namespaces{{ end }}.

  kubectl -n {{ .Release.Namespace }} rollout status deployment/${OPERATOR}

The smallest ChatCluster, with defaults for everything:

  kubectl{{ if .Values.watchNamespace }} -n {{ .Values.watchNamespace }}{{ end }} apply -f - <<'END'
  apiVersion: chat.parley.dev/v1alpha1
  kind: ChatCluster
  metadata:
    name: minimal
  END

Helm makes the CustomResourceDefinitions of ChatCluster and ChatDrill when there are none, and never changes or removes them. Before an upgrade
of the chart, give the cluster the new ones:

  helm show crds CHART | kubectl apply --server-side --force-conflicts -f -
`;
}
