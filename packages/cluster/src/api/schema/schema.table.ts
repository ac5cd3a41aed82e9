// Made by scripts/make-tables.mjs. See schema.ts for the notation.
export const SCHEMA_TEXT = `
~admissionregistration.v1.AuditAnnotation {"properties":{"key":"s","valueExpression":"s"},"required":["key","valueExpression"]}
~admissionregistration.v1.ExpressionWarning {"properties":{"fieldRef":"s","warning":"s"},"required":["fieldRef","warning"]}
~admissionregistration.v1.MatchCondition {"properties":{"expression":"s","name":"s"},"required":["name","expression"]}
~admissionregistration.v1.MatchResources {"properties":{"excludeResourceRules":"[@~admissionregistration.v1.NamedRuleWithOperations","matchPolicy":"s","namespaceSelector":"@^LabelSelector","objectSelector":"@^LabelSelector","resourceRules":"[@~admissionregistration.v1.NamedRuleWithOperations"},"atomic":true}
~admissionregistration.v1.MutatingWebhook {"properties":{"admissionReviewVersions":"[s","clientConfig":"@~admissionregistration.v1.WebhookClientConfig","failurePolicy":"s","matchConditions":"[@~admissionregistration.v1.MatchCondition keys=name merge=name","matchPolicy":"s","name":"s","namespaceSelector":"@^LabelSelector","objectSelector":"@^LabelSelector","reinvocationPolicy":"s","rules":"[@~admissionregistration.v1.RuleWithOperations","sideEffects":"s","timeoutSeconds":"i"},"required":["name","clientConfig","sideEffects","admissionReviewVersions"]}
~admissionregistration.v1.MutatingWebhookConfiguration {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","webhooks":"[@~admissionregistration.v1.MutatingWebhook keys=name merge=name"}}
~admissionregistration.v1.NamedRuleWithOperations {"properties":{"apiGroups":"[s","apiVersions":"[s","operations":"[s","resourceNames":"[s","resources":"[s","scope":"s"},"atomic":true}
~admissionregistration.v1.ParamKind {"properties":{"apiVersion":"s","kind":"s"},"atomic":true}
~admissionregistration.v1.ParamRef {"properties":{"name":"s","namespace":"s","parameterNotFoundAction":"s","selector":"@^LabelSelector"},"atomic":true}
~admissionregistration.v1.RuleWithOperations {"properties":{"apiGroups":"[s","apiVersions":"[s","operations":"[s","resources":"[s","scope":"s"}}
~admissionregistration.v1.ServiceReference {"properties":{"name":"s","namespace":"s","path":"s","port":"i"},"required":["namespace","name"]}
~admissionregistration.v1.TypeChecking {"properties":{"expressionWarnings":"[@~admissionregistration.v1.ExpressionWarning"}}
~admissionregistration.v1.ValidatingAdmissionPolicy {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~admissionregistration.v1.ValidatingAdmissionPolicySpec","status":"@~admissionregistration.v1.ValidatingAdmissionPolicyStatus"}}
~admissionregistration.v1.ValidatingAdmissionPolicyBinding {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec"},"required":["spec"]}
~admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec {"properties":{"matchResources":"@~admissionregistration.v1.MatchResources","paramRef":"@~admissionregistration.v1.ParamRef","policyName":"s","validationActions":"[s set"},"required":["policyName","validationActions"]}
~admissionregistration.v1.ValidatingAdmissionPolicySpec {"properties":{"auditAnnotations":"[@~admissionregistration.v1.AuditAnnotation","failurePolicy":"s","matchConditions":"[@~admissionregistration.v1.MatchCondition keys=name merge=name","matchConstraints":"@~admissionregistration.v1.MatchResources","paramKind":"@~admissionregistration.v1.ParamKind","validations":"[@~admissionregistration.v1.Validation","variables":"[@~admissionregistration.v1.Variable keys=name merge=name"}}
~admissionregistration.v1.ValidatingAdmissionPolicyStatus {"properties":{"conditions":"[@^Condition keys=type","observedGeneration":"l","typeChecking":"@~admissionregistration.v1.TypeChecking"}}
~admissionregistration.v1.ValidatingWebhook {"properties":{"admissionReviewVersions":"[s","clientConfig":"@~admissionregistration.v1.WebhookClientConfig","failurePolicy":"s","matchConditions":"[@~admissionregistration.v1.MatchCondition keys=name merge=name","matchPolicy":"s","name":"s","namespaceSelector":"@^LabelSelector","objectSelector":"@^LabelSelector","rules":"[@~admissionregistration.v1.RuleWithOperations","sideEffects":"s","timeoutSeconds":"i"},"required":["name","clientConfig","sideEffects","admissionReviewVersions"]}
~admissionregistration.v1.ValidatingWebhookConfiguration {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","webhooks":"[@~admissionregistration.v1.ValidatingWebhook keys=name merge=name"}}
~admissionregistration.v1.Validation {"properties":{"expression":"s","message":"s","messageExpression":"s","reason":"s"},"required":["expression"]}
~admissionregistration.v1.Variable {"properties":{"expression":"s","name":"s"},"required":["name","expression"],"atomic":true}
~admissionregistration.v1.WebhookClientConfig {"properties":{"caBundle":"y","service":"@~admissionregistration.v1.ServiceReference","url":"s"}}
~apps.v1.ControllerRevision {"properties":{"apiVersion":"s","data":"@io.k8s.apimachinery.pkg.runtime.RawExtension","kind":"s","metadata":"@^ObjectMeta","revision":"l"},"required":["revision"]}
~apps.v1.DaemonSet {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~apps.v1.DaemonSetSpec","status":"@~apps.v1.DaemonSetStatus"}}
~apps.v1.DaemonSetCondition {"properties":{"lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~apps.v1.DaemonSetSpec {"properties":{"minReadySeconds":"i","revisionHistoryLimit":"i","selector":"@^LabelSelector","template":"@~core.v1.PodTemplateSpec","updateStrategy":"@~apps.v1.DaemonSetUpdateStrategy"},"required":["selector","template"]}
~apps.v1.DaemonSetStatus {"properties":{"collisionCount":"i","conditions":"[@~apps.v1.DaemonSetCondition keys=type merge=type","currentNumberScheduled":"i","desiredNumberScheduled":"i","numberAvailable":"i","numberMisscheduled":"i","numberReady":"i","numberUnavailable":"i","observedGeneration":"l","updatedNumberScheduled":"i"},"required":["currentNumberScheduled","numberMisscheduled","desiredNumberScheduled","numberReady"]}
~apps.v1.DaemonSetUpdateStrategy {"properties":{"rollingUpdate":"@~apps.v1.RollingUpdateDaemonSet","type":"s"}}
~apps.v1.Deployment {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~apps.v1.DeploymentSpec","status":"@~apps.v1.DeploymentStatus"}}
~apps.v1.DeploymentCondition {"properties":{"lastTransitionTime":"@^Time","lastUpdateTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~apps.v1.DeploymentSpec {"properties":{"minReadySeconds":"i","paused":"b","progressDeadlineSeconds":"i","replicas":"i","revisionHistoryLimit":"i","selector":"@^LabelSelector","strategy":"@~apps.v1.DeploymentStrategy retainKeys","template":"@~core.v1.PodTemplateSpec"},"required":["selector","template"]}
~apps.v1.DeploymentStatus {"properties":{"availableReplicas":"i","collisionCount":"i","conditions":"[@~apps.v1.DeploymentCondition keys=type merge=type","observedGeneration":"l","readyReplicas":"i","replicas":"i","terminatingReplicas":"i","unavailableReplicas":"i","updatedReplicas":"i"}}
~apps.v1.DeploymentStrategy {"properties":{"rollingUpdate":"@~apps.v1.RollingUpdateDeployment","type":"s"}}
~apps.v1.ReplicaSet {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~apps.v1.ReplicaSetSpec","status":"@~apps.v1.ReplicaSetStatus"}}
~apps.v1.ReplicaSetCondition {"properties":{"lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~apps.v1.ReplicaSetSpec {"properties":{"minReadySeconds":"i","replicas":"i","selector":"@^LabelSelector","template":"@~core.v1.PodTemplateSpec"},"required":["selector"]}
~apps.v1.ReplicaSetStatus {"properties":{"availableReplicas":"i","conditions":"[@~apps.v1.ReplicaSetCondition keys=type merge=type","fullyLabeledReplicas":"i","observedGeneration":"l","readyReplicas":"i","replicas":"i","terminatingReplicas":"i"},"required":["replicas"]}
~apps.v1.RollingUpdateDaemonSet {"properties":{"maxSurge":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString","maxUnavailable":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString"}}
~apps.v1.RollingUpdateDeployment {"properties":{"maxSurge":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString","maxUnavailable":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString"}}
~apps.v1.RollingUpdateStatefulSetStrategy {"properties":{"maxUnavailable":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString","partition":"i"}}
~apps.v1.StatefulSet {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~apps.v1.StatefulSetSpec","status":"@~apps.v1.StatefulSetStatus"}}
~apps.v1.StatefulSetCondition {"properties":{"lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~apps.v1.StatefulSetOrdinals {"properties":{"start":"i"}}
~apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy {"properties":{"whenDeleted":"s","whenScaled":"s"}}
~apps.v1.StatefulSetSpec {"properties":{"minReadySeconds":"i","ordinals":"@~apps.v1.StatefulSetOrdinals","persistentVolumeClaimRetentionPolicy":"@~apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy","podManagementPolicy":"s","replicas":"i","revisionHistoryLimit":"i","selector":"@^LabelSelector","serviceName":"s","template":"@~core.v1.PodTemplateSpec","updateStrategy":"@~apps.v1.StatefulSetUpdateStrategy","volumeClaimTemplates":"[@~core.v1.PersistentVolumeClaim"},"required":["selector","template"]}
~apps.v1.StatefulSetStatus {"properties":{"availableReplicas":"i","collisionCount":"i","conditions":"[@~apps.v1.StatefulSetCondition keys=type merge=type","currentReplicas":"i","currentRevision":"s","observedGeneration":"l","readyReplicas":"i","replicas":"i","updateRevision":"s","updatedReplicas":"i"},"required":["replicas"]}
~apps.v1.StatefulSetUpdateStrategy {"properties":{"rollingUpdate":"@~apps.v1.RollingUpdateStatefulSetStrategy","type":"s"}}
~authentication.v1.BoundObjectReference {"properties":{"apiVersion":"s","kind":"s","name":"s","uid":"s"}}
~authentication.v1.SelfSubjectReview {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","status":"@~authentication.v1.SelfSubjectReviewStatus"}}
~authentication.v1.SelfSubjectReviewStatus {"properties":{"userInfo":"@~authentication.v1.UserInfo"}}
~authentication.v1.TokenRequest {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~authentication.v1.TokenRequestSpec","status":"@~authentication.v1.TokenRequestStatus"}}
~authentication.v1.TokenRequestSpec {"properties":{"audiences":"[s","boundObjectRef":"@~authentication.v1.BoundObjectReference","expirationSeconds":"l"}}
~authentication.v1.TokenRequestStatus {"properties":{"expirationTimestamp":"@^Time","token":"s"}}
~authentication.v1.TokenReview {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~authentication.v1.TokenReviewSpec","status":"@~authentication.v1.TokenReviewStatus"},"required":["spec"]}
~authentication.v1.TokenReviewSpec {"properties":{"audiences":"[s","token":"s"},"required":["token"]}
~authentication.v1.TokenReviewStatus {"properties":{"audiences":"[s","authenticated":"b","error":"s","user":"@~authentication.v1.UserInfo"}}
~authentication.v1.UserInfo {"properties":{"extra":"{[s","groups":"[s","uid":"s","username":"s"}}
~authorization.v1.FieldSelectorAttributes {"properties":{"rawSelector":"s","requirements":"[@^FieldSelectorRequirement"}}
~authorization.v1.LabelSelectorAttributes {"properties":{"rawSelector":"s","requirements":"[@^LabelSelectorRequirement"}}
~authorization.v1.LocalSubjectAccessReview {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~authorization.v1.SubjectAccessReviewSpec","status":"@~authorization.v1.SubjectAccessReviewStatus"},"required":["spec"]}
~authorization.v1.NonResourceAttributes {"properties":{"path":"s","verb":"s"}}
~authorization.v1.NonResourceRule {"properties":{"nonResourceURLs":"[s","verbs":"[s"},"required":["verbs"]}
~authorization.v1.ResourceAttributes {"properties":{"fieldSelector":"@~authorization.v1.FieldSelectorAttributes","group":"s","labelSelector":"@~authorization.v1.LabelSelectorAttributes","name":"s","namespace":"s","resource":"s","subresource":"s","verb":"s","version":"s"}}
~authorization.v1.ResourceRule {"properties":{"apiGroups":"[s","resourceNames":"[s","resources":"[s","verbs":"[s"},"required":["verbs"]}
~authorization.v1.SelfSubjectAccessReview {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~authorization.v1.SelfSubjectAccessReviewSpec","status":"@~authorization.v1.SubjectAccessReviewStatus"},"required":["spec"]}
~authorization.v1.SelfSubjectAccessReviewSpec {"properties":{"nonResourceAttributes":"@~authorization.v1.NonResourceAttributes","resourceAttributes":"@~authorization.v1.ResourceAttributes"}}
~authorization.v1.SelfSubjectRulesReview {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~authorization.v1.SelfSubjectRulesReviewSpec","status":"@~authorization.v1.SubjectRulesReviewStatus"},"required":["spec"]}
~authorization.v1.SelfSubjectRulesReviewSpec {"properties":{"namespace":"s"}}
~authorization.v1.SubjectAccessReview {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~authorization.v1.SubjectAccessReviewSpec","status":"@~authorization.v1.SubjectAccessReviewStatus"},"required":["spec"]}
~authorization.v1.SubjectAccessReviewSpec {"properties":{"extra":"{[s","groups":"[s","nonResourceAttributes":"@~authorization.v1.NonResourceAttributes","resourceAttributes":"@~authorization.v1.ResourceAttributes","uid":"s","user":"s"}}
~authorization.v1.SubjectAccessReviewStatus {"properties":{"allowed":"b","denied":"b","evaluationError":"s","reason":"s"},"required":["allowed"]}
~authorization.v1.SubjectRulesReviewStatus {"properties":{"evaluationError":"s","incomplete":"b","nonResourceRules":"[@~authorization.v1.NonResourceRule","resourceRules":"[@~authorization.v1.ResourceRule"},"required":["resourceRules","nonResourceRules","incomplete"]}
~autoscaling.v1.CrossVersionObjectReference {"properties":{"apiVersion":"s","kind":"s","name":"s"},"required":["kind","name"],"atomic":true}
~autoscaling.v1.HorizontalPodAutoscaler {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~autoscaling.v1.HorizontalPodAutoscalerSpec","status":"@~autoscaling.v1.HorizontalPodAutoscalerStatus"},"required":["spec"]}
~autoscaling.v1.HorizontalPodAutoscalerSpec {"properties":{"maxReplicas":"i","minReplicas":"i","scaleTargetRef":"@~autoscaling.v1.CrossVersionObjectReference","targetCPUUtilizationPercentage":"i"},"required":["scaleTargetRef","maxReplicas"]}
~autoscaling.v1.HorizontalPodAutoscalerStatus {"properties":{"currentCPUUtilizationPercentage":"i","currentReplicas":"i","desiredReplicas":"i","lastScaleTime":"@^Time","observedGeneration":"l"},"required":["currentReplicas","desiredReplicas"]}
~autoscaling.v1.Scale {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~autoscaling.v1.ScaleSpec","status":"@~autoscaling.v1.ScaleStatus"}}
~autoscaling.v1.ScaleSpec {"properties":{"replicas":"i"}}
~autoscaling.v1.ScaleStatus {"properties":{"replicas":"i","selector":"s"},"required":["replicas"]}
~autoscaling.v2.ContainerResourceMetricSource {"properties":{"container":"s","name":"s","target":"@~autoscaling.v2.MetricTarget"},"required":["name","target","container"]}
~autoscaling.v2.ContainerResourceMetricStatus {"properties":{"container":"s","current":"@~autoscaling.v2.MetricValueStatus","name":"s"},"required":["name","current","container"]}
~autoscaling.v2.CrossVersionObjectReference {"properties":{"apiVersion":"s","kind":"s","name":"s"},"required":["kind","name"]}
~autoscaling.v2.ExternalMetricSource {"properties":{"metric":"@~autoscaling.v2.MetricIdentifier","target":"@~autoscaling.v2.MetricTarget"},"required":["metric","target"]}
~autoscaling.v2.ExternalMetricStatus {"properties":{"current":"@~autoscaling.v2.MetricValueStatus","metric":"@~autoscaling.v2.MetricIdentifier"},"required":["metric","current"]}
~autoscaling.v2.HPAScalingPolicy {"properties":{"periodSeconds":"i","type":"s","value":"i"},"required":["type","value","periodSeconds"]}
~autoscaling.v2.HPAScalingRules {"properties":{"policies":"[@~autoscaling.v2.HPAScalingPolicy","selectPolicy":"s","stabilizationWindowSeconds":"i","tolerance":"@io.k8s.apimachinery.pkg.api.resource.Quantity"}}
~autoscaling.v2.HorizontalPodAutoscaler {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~autoscaling.v2.HorizontalPodAutoscalerSpec","status":"@~autoscaling.v2.HorizontalPodAutoscalerStatus"},"required":["spec"]}
~autoscaling.v2.HorizontalPodAutoscalerBehavior {"properties":{"scaleDown":"@~autoscaling.v2.HPAScalingRules","scaleUp":"@~autoscaling.v2.HPAScalingRules"}}
~autoscaling.v2.HorizontalPodAutoscalerCondition {"properties":{"lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~autoscaling.v2.HorizontalPodAutoscalerSpec {"properties":{"behavior":"@~autoscaling.v2.HorizontalPodAutoscalerBehavior","maxReplicas":"i","metrics":"[@~autoscaling.v2.MetricSpec","minReplicas":"i","scaleTargetRef":"@~autoscaling.v2.CrossVersionObjectReference"},"required":["scaleTargetRef","maxReplicas"]}
~autoscaling.v2.HorizontalPodAutoscalerStatus {"properties":{"conditions":"[@~autoscaling.v2.HorizontalPodAutoscalerCondition keys=type merge=type","currentMetrics":"[@~autoscaling.v2.MetricStatus","currentReplicas":"i","desiredReplicas":"i","lastScaleTime":"@^Time","observedGeneration":"l"},"required":["desiredReplicas"]}
~autoscaling.v2.MetricIdentifier {"properties":{"name":"s","selector":"@^LabelSelector"},"required":["name"]}
~autoscaling.v2.MetricSpec {"properties":{"containerResource":"@~autoscaling.v2.ContainerResourceMetricSource","external":"@~autoscaling.v2.ExternalMetricSource","object":"@~autoscaling.v2.ObjectMetricSource","pods":"@~autoscaling.v2.PodsMetricSource","resource":"@~autoscaling.v2.ResourceMetricSource","type":"s"},"required":["type"]}
~autoscaling.v2.MetricStatus {"properties":{"containerResource":"@~autoscaling.v2.ContainerResourceMetricStatus","external":"@~autoscaling.v2.ExternalMetricStatus","object":"@~autoscaling.v2.ObjectMetricStatus","pods":"@~autoscaling.v2.PodsMetricStatus","resource":"@~autoscaling.v2.ResourceMetricStatus","type":"s"},"required":["type"]}
~autoscaling.v2.MetricTarget {"properties":{"averageUtilization":"i","averageValue":"@io.k8s.apimachinery.pkg.api.resource.Quantity","type":"s","value":"@io.k8s.apimachinery.pkg.api.resource.Quantity"},"required":["type"]}
~autoscaling.v2.MetricValueStatus {"properties":{"averageUtilization":"i","averageValue":"@io.k8s.apimachinery.pkg.api.resource.Quantity","value":"@io.k8s.apimachinery.pkg.api.resource.Quantity"}}
~autoscaling.v2.ObjectMetricSource {"properties":{"describedObject":"@~autoscaling.v2.CrossVersionObjectReference","metric":"@~autoscaling.v2.MetricIdentifier","target":"@~autoscaling.v2.MetricTarget"},"required":["describedObject","target","metric"]}
~autoscaling.v2.ObjectMetricStatus {"properties":{"current":"@~autoscaling.v2.MetricValueStatus","describedObject":"@~autoscaling.v2.CrossVersionObjectReference","metric":"@~autoscaling.v2.MetricIdentifier"},"required":["metric","current","describedObject"]}
~autoscaling.v2.PodsMetricSource {"properties":{"metric":"@~autoscaling.v2.MetricIdentifier","target":"@~autoscaling.v2.MetricTarget"},"required":["metric","target"]}
~autoscaling.v2.PodsMetricStatus {"properties":{"current":"@~autoscaling.v2.MetricValueStatus","metric":"@~autoscaling.v2.MetricIdentifier"},"required":["metric","current"]}
~autoscaling.v2.ResourceMetricSource {"properties":{"name":"s","target":"@~autoscaling.v2.MetricTarget"},"required":["name","target"]}
~autoscaling.v2.ResourceMetricStatus {"properties":{"current":"@~autoscaling.v2.MetricValueStatus","name":"s"},"required":["name","current"]}
~batch.v1.CronJob {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~batch.v1.CronJobSpec","status":"@~batch.v1.CronJobStatus"},"required":["spec"]}
~batch.v1.CronJobSpec {"properties":{"concurrencyPolicy":"s","failedJobsHistoryLimit":"i","jobTemplate":"@~batch.v1.JobTemplateSpec","schedule":"s","startingDeadlineSeconds":"l","successfulJobsHistoryLimit":"i","suspend":"b","timeZone":"s"},"required":["schedule","jobTemplate"]}
~batch.v1.CronJobStatus {"properties":{"active":"[@~core.v1.ObjectReference","lastScheduleTime":"@^Time","lastSuccessfulTime":"@^Time"}}
~batch.v1.Job {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~batch.v1.JobSpec","status":"@~batch.v1.JobStatus"}}
~batch.v1.JobCondition {"properties":{"lastProbeTime":"@^Time","lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~batch.v1.JobSpec {"properties":{"activeDeadlineSeconds":"l","backoffLimit":"i","backoffLimitPerIndex":"i","completionMode":"s","completions":"i","managedBy":"s","manualSelector":"b","maxFailedIndexes":"i","parallelism":"i","podFailurePolicy":"@~batch.v1.PodFailurePolicy","podReplacementPolicy":"s","selector":"@^LabelSelector","successPolicy":"@~batch.v1.SuccessPolicy","suspend":"b","template":"@~core.v1.PodTemplateSpec","ttlSecondsAfterFinished":"i"},"required":["template"]}
~batch.v1.JobStatus {"properties":{"active":"i","completedIndexes":"s","completionTime":"@^Time","conditions":"[@~batch.v1.JobCondition merge=type","failed":"i","failedIndexes":"s","ready":"i","startTime":"@^Time","succeeded":"i","terminating":"i","uncountedTerminatedPods":"@~batch.v1.UncountedTerminatedPods"}}
~batch.v1.JobTemplateSpec {"properties":{"metadata":"@^ObjectMeta","spec":"@~batch.v1.JobSpec"}}
~batch.v1.PodFailurePolicy {"properties":{"rules":"[@~batch.v1.PodFailurePolicyRule"},"required":["rules"]}
~batch.v1.PodFailurePolicyOnExitCodesRequirement {"properties":{"containerName":"s","operator":"s","values":"[i set"},"required":["operator","values"]}
~batch.v1.PodFailurePolicyOnPodConditionsPattern {"properties":{"status":"s","type":"s"},"required":["type"]}
~batch.v1.PodFailurePolicyRule {"properties":{"action":"s","onExitCodes":"@~batch.v1.PodFailurePolicyOnExitCodesRequirement","onPodConditions":"[@~batch.v1.PodFailurePolicyOnPodConditionsPattern"},"required":["action"]}
~batch.v1.SuccessPolicy {"properties":{"rules":"[@~batch.v1.SuccessPolicyRule"},"required":["rules"]}
~batch.v1.SuccessPolicyRule {"properties":{"succeededCount":"i","succeededIndexes":"s"}}
~batch.v1.UncountedTerminatedPods {"properties":{"failed":"[s set","succeeded":"[s set"}}
~certificates.v1.CertificateSigningRequest {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~certificates.v1.CertificateSigningRequestSpec","status":"@~certificates.v1.CertificateSigningRequestStatus"},"required":["spec"]}
~certificates.v1.CertificateSigningRequestCondition {"properties":{"lastTransitionTime":"@^Time","lastUpdateTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~certificates.v1.CertificateSigningRequestSpec {"properties":{"expirationSeconds":"i","extra":"{[s","groups":"[s","request":"y","signerName":"s","uid":"s","usages":"[s","username":"s"},"required":["request","signerName"]}
~certificates.v1.CertificateSigningRequestStatus {"properties":{"certificate":"y","conditions":"[@~certificates.v1.CertificateSigningRequestCondition keys=type"}}
~coordination.v1.Lease {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~coordination.v1.LeaseSpec"}}
~coordination.v1.LeaseSpec {"properties":{"acquireTime":"@^MicroTime","holderIdentity":"s","leaseDurationSeconds":"i","leaseTransitions":"i","preferredHolder":"s","renewTime":"@^MicroTime","strategy":"s"}}
~core.v1.AWSElasticBlockStoreVolumeSource {"properties":{"fsType":"s","partition":"i","readOnly":"b","volumeID":"s"},"required":["volumeID"]}
~core.v1.Affinity {"properties":{"nodeAffinity":"@~core.v1.NodeAffinity","podAffinity":"@~core.v1.PodAffinity","podAntiAffinity":"@~core.v1.PodAntiAffinity"}}
~core.v1.AppArmorProfile {"properties":{"localhostProfile":"s","type":"s"},"required":["type"]}
~core.v1.AttachedVolume {"properties":{"devicePath":"s","name":"s"},"required":["name","devicePath"]}
~core.v1.AzureDiskVolumeSource {"properties":{"cachingMode":"s","diskName":"s","diskURI":"s","fsType":"s","kind":"s","readOnly":"b"},"required":["diskName","diskURI"]}
~core.v1.AzureFilePersistentVolumeSource {"properties":{"readOnly":"b","secretName":"s","secretNamespace":"s","shareName":"s"},"required":["secretName","shareName"]}
~core.v1.AzureFileVolumeSource {"properties":{"readOnly":"b","secretName":"s","shareName":"s"},"required":["secretName","shareName"]}
~core.v1.Binding {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","target":"@~core.v1.ObjectReference"},"required":["target"]}
~core.v1.CSIPersistentVolumeSource {"properties":{"controllerExpandSecretRef":"@~core.v1.SecretReference","controllerPublishSecretRef":"@~core.v1.SecretReference","driver":"s","fsType":"s","nodeExpandSecretRef":"@~core.v1.SecretReference","nodePublishSecretRef":"@~core.v1.SecretReference","nodeStageSecretRef":"@~core.v1.SecretReference","readOnly":"b","volumeAttributes":"{s","volumeHandle":"s"},"required":["driver","volumeHandle"]}
~core.v1.CSIVolumeSource {"properties":{"driver":"s","fsType":"s","nodePublishSecretRef":"@~core.v1.LocalObjectReference","readOnly":"b","volumeAttributes":"{s"},"required":["driver"]}
~core.v1.Capabilities {"properties":{"add":"[s","drop":"[s"}}
~core.v1.CephFSPersistentVolumeSource {"properties":{"monitors":"[s","path":"s","readOnly":"b","secretFile":"s","secretRef":"@~core.v1.SecretReference","user":"s"},"required":["monitors"]}
~core.v1.CephFSVolumeSource {"properties":{"monitors":"[s","path":"s","readOnly":"b","secretFile":"s","secretRef":"@~core.v1.LocalObjectReference","user":"s"},"required":["monitors"]}
~core.v1.CinderPersistentVolumeSource {"properties":{"fsType":"s","readOnly":"b","secretRef":"@~core.v1.SecretReference","volumeID":"s"},"required":["volumeID"]}
~core.v1.CinderVolumeSource {"properties":{"fsType":"s","readOnly":"b","secretRef":"@~core.v1.LocalObjectReference","volumeID":"s"},"required":["volumeID"]}
~core.v1.ClientIPConfig {"properties":{"timeoutSeconds":"i"}}
~core.v1.ClusterTrustBundleProjection {"properties":{"labelSelector":"@^LabelSelector","name":"s","optional":"b","path":"s","signerName":"s"},"required":["path"]}
~core.v1.ConfigMap {"properties":{"apiVersion":"s","binaryData":"{y","data":"{s","immutable":"b","kind":"s","metadata":"@^ObjectMeta"}}
~core.v1.ConfigMapEnvSource {"properties":{"name":"s","optional":"b"}}
~core.v1.ConfigMapKeySelector {"properties":{"key":"s","name":"s","optional":"b"},"required":["key"],"atomic":true}
~core.v1.ConfigMapNodeConfigSource {"properties":{"kubeletConfigKey":"s","name":"s","namespace":"s","resourceVersion":"s","uid":"s"},"required":["namespace","name","kubeletConfigKey"]}
~core.v1.ConfigMapProjection {"properties":{"items":"[@~core.v1.KeyToPath","name":"s","optional":"b"}}
~core.v1.ConfigMapVolumeSource {"properties":{"defaultMode":"i","items":"[@~core.v1.KeyToPath","name":"s","optional":"b"}}
~core.v1.Container {"properties":{"args":"[s","command":"[s","env":"[@~core.v1.EnvVar keys=name merge=name","envFrom":"[@~core.v1.EnvFromSource","image":"s","imagePullPolicy":"s","lifecycle":"@~core.v1.Lifecycle","livenessProbe":"@~core.v1.Probe","name":"s","ports":"[@~core.v1.ContainerPort keys=containerPort+protocol merge=containerPort","readinessProbe":"@~core.v1.Probe","resizePolicy":"[@~core.v1.ContainerResizePolicy","resources":"@~core.v1.ResourceRequirements","restartPolicy":"s","restartPolicyRules":"[@~core.v1.ContainerRestartRule","securityContext":"@~core.v1.SecurityContext","startupProbe":"@~core.v1.Probe","stdin":"b","stdinOnce":"b","terminationMessagePath":"s","terminationMessagePolicy":"s","tty":"b","volumeDevices":"[@~core.v1.VolumeDevice keys=devicePath merge=devicePath","volumeMounts":"[@~core.v1.VolumeMount keys=mountPath merge=mountPath","workingDir":"s"},"required":["name"]}
~core.v1.ContainerExtendedResourceRequest {"properties":{"containerName":"s","requestName":"s","resourceName":"s"},"required":["containerName","resourceName","requestName"]}
~core.v1.ContainerImage {"properties":{"names":"[s","sizeBytes":"l"}}
~core.v1.ContainerPort {"properties":{"containerPort":"i","hostIP":"s","hostPort":"i","name":"s","protocol":"s"},"required":["containerPort"]}
~core.v1.ContainerResizePolicy {"properties":{"resourceName":"s","restartPolicy":"s"},"required":["resourceName","restartPolicy"]}
~core.v1.ContainerRestartRule {"properties":{"action":"s","exitCodes":"@~core.v1.ContainerRestartRuleOnExitCodes"},"required":["action"]}
~core.v1.ContainerRestartRuleOnExitCodes {"properties":{"operator":"s","values":"[i set"},"required":["operator"]}
~core.v1.ContainerState {"properties":{"running":"@~core.v1.ContainerStateRunning","terminated":"@~core.v1.ContainerStateTerminated","waiting":"@~core.v1.ContainerStateWaiting"}}
~core.v1.ContainerStateRunning {"properties":{"startedAt":"@^Time"}}
~core.v1.ContainerStateTerminated {"properties":{"containerID":"s","exitCode":"i","finishedAt":"@^Time","message":"s","reason":"s","signal":"i","startedAt":"@^Time"},"required":["exitCode"]}
~core.v1.ContainerStateWaiting {"properties":{"message":"s","reason":"s"}}
~core.v1.ContainerStatus {"properties":{"allocatedResources":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","allocatedResourcesStatus":"[@~core.v1.ResourceStatus keys=name merge=name","containerID":"s","image":"s","imageID":"s","lastState":"@~core.v1.ContainerState","name":"s","ready":"b","resources":"@~core.v1.ResourceRequirements","restartCount":"i","started":"b","state":"@~core.v1.ContainerState","stopSignal":"s","user":"@~core.v1.ContainerUser","volumeMounts":"[@~core.v1.VolumeMountStatus keys=mountPath merge=mountPath"},"required":["name","ready","restartCount","image","imageID"]}
~core.v1.ContainerUser {"properties":{"linux":"@~core.v1.LinuxContainerUser"}}
~core.v1.DaemonEndpoint {"properties":{"Port":"i"},"required":["Port"]}
~core.v1.DownwardAPIProjection {"properties":{"items":"[@~core.v1.DownwardAPIVolumeFile"}}
~core.v1.DownwardAPIVolumeFile {"properties":{"fieldRef":"@~core.v1.ObjectFieldSelector","mode":"i","path":"s","resourceFieldRef":"@~core.v1.ResourceFieldSelector"},"required":["path"]}
~core.v1.DownwardAPIVolumeSource {"properties":{"defaultMode":"i","items":"[@~core.v1.DownwardAPIVolumeFile"}}
~core.v1.EmptyDirVolumeSource {"properties":{"medium":"s","sizeLimit":"@io.k8s.apimachinery.pkg.api.resource.Quantity"}}
~core.v1.EndpointAddress {"properties":{"hostname":"s","ip":"s","nodeName":"s","targetRef":"@~core.v1.ObjectReference"},"required":["ip"],"atomic":true}
~core.v1.EndpointPort {"properties":{"appProtocol":"s","name":"s","port":"i","protocol":"s"},"required":["port"],"atomic":true}
~core.v1.EndpointSubset {"properties":{"addresses":"[@~core.v1.EndpointAddress","notReadyAddresses":"[@~core.v1.EndpointAddress","ports":"[@~core.v1.EndpointPort"}}
~core.v1.Endpoints {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","subsets":"[@~core.v1.EndpointSubset"}}
~core.v1.EnvFromSource {"properties":{"configMapRef":"@~core.v1.ConfigMapEnvSource","prefix":"s","secretRef":"@~core.v1.SecretEnvSource"}}
~core.v1.EnvVar {"properties":{"name":"s","value":"s","valueFrom":"@~core.v1.EnvVarSource"},"required":["name"]}
~core.v1.EnvVarSource {"properties":{"configMapKeyRef":"@~core.v1.ConfigMapKeySelector","fieldRef":"@~core.v1.ObjectFieldSelector","fileKeyRef":"@~core.v1.FileKeySelector","resourceFieldRef":"@~core.v1.ResourceFieldSelector","secretKeyRef":"@~core.v1.SecretKeySelector"}}
~core.v1.EphemeralContainer {"properties":{"args":"[s","command":"[s","env":"[@~core.v1.EnvVar keys=name merge=name","envFrom":"[@~core.v1.EnvFromSource","image":"s","imagePullPolicy":"s","lifecycle":"@~core.v1.Lifecycle","livenessProbe":"@~core.v1.Probe","name":"s","ports":"[@~core.v1.ContainerPort keys=containerPort+protocol merge=containerPort","readinessProbe":"@~core.v1.Probe","resizePolicy":"[@~core.v1.ContainerResizePolicy","resources":"@~core.v1.ResourceRequirements","restartPolicy":"s","restartPolicyRules":"[@~core.v1.ContainerRestartRule","securityContext":"@~core.v1.SecurityContext","startupProbe":"@~core.v1.Probe","stdin":"b","stdinOnce":"b","targetContainerName":"s","terminationMessagePath":"s","terminationMessagePolicy":"s","tty":"b","volumeDevices":"[@~core.v1.VolumeDevice keys=devicePath merge=devicePath","volumeMounts":"[@~core.v1.VolumeMount keys=mountPath merge=mountPath","workingDir":"s"},"required":["name"]}
~core.v1.EphemeralVolumeSource {"properties":{"volumeClaimTemplate":"@~core.v1.PersistentVolumeClaimTemplate"}}
~core.v1.Event {"properties":{"action":"s","apiVersion":"s","count":"i","eventTime":"@^MicroTime","firstTimestamp":"@^Time","involvedObject":"@~core.v1.ObjectReference","kind":"s","lastTimestamp":"@^Time","message":"s","metadata":"@^ObjectMeta","reason":"s","related":"@~core.v1.ObjectReference","reportingComponent":"s","reportingInstance":"s","series":"@~core.v1.EventSeries","source":"@~core.v1.EventSource","type":"s"},"required":["metadata","involvedObject"]}
~core.v1.EventSeries {"properties":{"count":"i","lastObservedTime":"@^MicroTime"}}
~core.v1.EventSource {"properties":{"component":"s","host":"s"}}
~core.v1.ExecAction {"properties":{"command":"[s"}}
~core.v1.FCVolumeSource {"properties":{"fsType":"s","lun":"i","readOnly":"b","targetWWNs":"[s","wwids":"[s"}}
~core.v1.FileKeySelector {"properties":{"key":"s","optional":"b","path":"s","volumeName":"s"},"required":["volumeName","path","key"],"atomic":true}
~core.v1.FlexPersistentVolumeSource {"properties":{"driver":"s","fsType":"s","options":"{s","readOnly":"b","secretRef":"@~core.v1.SecretReference"},"required":["driver"]}
~core.v1.FlexVolumeSource {"properties":{"driver":"s","fsType":"s","options":"{s","readOnly":"b","secretRef":"@~core.v1.LocalObjectReference"},"required":["driver"]}
~core.v1.FlockerVolumeSource {"properties":{"datasetName":"s","datasetUUID":"s"}}
~core.v1.GCEPersistentDiskVolumeSource {"properties":{"fsType":"s","partition":"i","pdName":"s","readOnly":"b"},"required":["pdName"]}
~core.v1.GRPCAction {"properties":{"port":"i","service":"s"},"required":["port"]}
~core.v1.GitRepoVolumeSource {"properties":{"directory":"s","repository":"s","revision":"s"},"required":["repository"]}
~core.v1.GlusterfsPersistentVolumeSource {"properties":{"endpoints":"s","endpointsNamespace":"s","path":"s","readOnly":"b"},"required":["endpoints","path"]}
~core.v1.GlusterfsVolumeSource {"properties":{"endpoints":"s","path":"s","readOnly":"b"},"required":["endpoints","path"]}
~core.v1.HTTPGetAction {"properties":{"host":"s","httpHeaders":"[@~core.v1.HTTPHeader","path":"s","port":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString","scheme":"s"},"required":["port"]}
~core.v1.HTTPHeader {"properties":{"name":"s","value":"s"},"required":["name","value"]}
~core.v1.HostAlias {"properties":{"hostnames":"[s","ip":"s"},"required":["ip"]}
~core.v1.HostIP {"properties":{"ip":"s"},"required":["ip"]}
~core.v1.HostPathVolumeSource {"properties":{"path":"s","type":"s"},"required":["path"]}
~core.v1.ISCSIPersistentVolumeSource {"properties":{"chapAuthDiscovery":"b","chapAuthSession":"b","fsType":"s","initiatorName":"s","iqn":"s","iscsiInterface":"s","lun":"i","portals":"[s","readOnly":"b","secretRef":"@~core.v1.SecretReference","targetPortal":"s"},"required":["targetPortal","iqn","lun"]}
~core.v1.ISCSIVolumeSource {"properties":{"chapAuthDiscovery":"b","chapAuthSession":"b","fsType":"s","initiatorName":"s","iqn":"s","iscsiInterface":"s","lun":"i","portals":"[s","readOnly":"b","secretRef":"@~core.v1.LocalObjectReference","targetPortal":"s"},"required":["targetPortal","iqn","lun"]}
~core.v1.ImageVolumeSource {"properties":{"pullPolicy":"s","reference":"s"}}
~core.v1.ImageVolumeStatus {"properties":{"imageRef":"s"},"required":["imageRef"]}
~core.v1.KeyToPath {"properties":{"key":"s","mode":"i","path":"s"},"required":["key","path"]}
~core.v1.Lifecycle {"properties":{"postStart":"@~core.v1.LifecycleHandler","preStop":"@~core.v1.LifecycleHandler","stopSignal":"s"}}
~core.v1.LifecycleHandler {"properties":{"exec":"@~core.v1.ExecAction","httpGet":"@~core.v1.HTTPGetAction","sleep":"@~core.v1.SleepAction","tcpSocket":"@~core.v1.TCPSocketAction"}}
~core.v1.LimitRange {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~core.v1.LimitRangeSpec"}}
~core.v1.LimitRangeItem {"properties":{"default":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","defaultRequest":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","max":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","maxLimitRequestRatio":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","min":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","type":"s"},"required":["type"]}
~core.v1.LimitRangeSpec {"properties":{"limits":"[@~core.v1.LimitRangeItem"},"required":["limits"]}
~core.v1.LinuxContainerUser {"properties":{"gid":"l","supplementalGroups":"[l","uid":"l"},"required":["uid","gid"]}
~core.v1.LoadBalancerIngress {"properties":{"hostname":"s","ip":"s","ipMode":"s","ports":"[@~core.v1.PortStatus"}}
~core.v1.LoadBalancerStatus {"properties":{"ingress":"[@~core.v1.LoadBalancerIngress"}}
~core.v1.LocalObjectReference {"properties":{"name":"s"},"atomic":true}
~core.v1.LocalVolumeSource {"properties":{"fsType":"s","path":"s"},"required":["path"]}
~core.v1.ModifyVolumeStatus {"properties":{"status":"s","targetVolumeAttributesClassName":"s"},"required":["status"]}
~core.v1.NFSVolumeSource {"properties":{"path":"s","readOnly":"b","server":"s"},"required":["server","path"]}
~core.v1.Namespace {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~core.v1.NamespaceSpec","status":"@~core.v1.NamespaceStatus"}}
~core.v1.NamespaceCondition {"properties":{"lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~core.v1.NamespaceSpec {"properties":{"finalizers":"[s"}}
~core.v1.NamespaceStatus {"properties":{"conditions":"[@~core.v1.NamespaceCondition keys=type merge=type","phase":"s"}}
~core.v1.Node {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~core.v1.NodeSpec","status":"@~core.v1.NodeStatus"}}
~core.v1.NodeAddress {"properties":{"address":"s","type":"s"},"required":["type","address"]}
~core.v1.NodeAffinity {"properties":{"preferredDuringSchedulingIgnoredDuringExecution":"[@~core.v1.PreferredSchedulingTerm","requiredDuringSchedulingIgnoredDuringExecution":"@~core.v1.NodeSelector"}}
~core.v1.NodeAllocatableResourceClaimStatus {"properties":{"containers":"[s set","resourceClaimName":"s","resources":"{@io.k8s.apimachinery.pkg.api.resource.Quantity"},"required":["resourceClaimName","resources"]}
~core.v1.NodeCondition {"properties":{"lastHeartbeatTime":"@^Time","lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~core.v1.NodeConfigSource {"properties":{"configMap":"@~core.v1.ConfigMapNodeConfigSource"}}
~core.v1.NodeConfigStatus {"properties":{"active":"@~core.v1.NodeConfigSource","assigned":"@~core.v1.NodeConfigSource","error":"s","lastKnownGood":"@~core.v1.NodeConfigSource"}}
~core.v1.NodeDaemonEndpoints {"properties":{"kubeletEndpoint":"@~core.v1.DaemonEndpoint"}}
~core.v1.NodeFeatures {"properties":{"supplementalGroupsPolicy":"b"}}
~core.v1.NodeRuntimeHandler {"properties":{"features":"@~core.v1.NodeRuntimeHandlerFeatures","name":"s"}}
~core.v1.NodeRuntimeHandlerFeatures {"properties":{"recursiveReadOnlyMounts":"b","userNamespaces":"b"}}
~core.v1.NodeSelector {"properties":{"nodeSelectorTerms":"[@~core.v1.NodeSelectorTerm"},"required":["nodeSelectorTerms"],"atomic":true}
~core.v1.NodeSelectorRequirement {"properties":{"key":"s","operator":"s","values":"[s"},"required":["key","operator"]}
~core.v1.NodeSelectorTerm {"properties":{"matchExpressions":"[@~core.v1.NodeSelectorRequirement","matchFields":"[@~core.v1.NodeSelectorRequirement"},"atomic":true}
~core.v1.NodeSpec {"properties":{"configSource":"@~core.v1.NodeConfigSource","externalID":"s","podCIDR":"s","podCIDRs":"[s set merge=","providerID":"s","taints":"[@~core.v1.Taint","unschedulable":"b"}}
~core.v1.NodeStatus {"properties":{"addresses":"[@~core.v1.NodeAddress keys=type merge=type","allocatable":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","capacity":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","conditions":"[@~core.v1.NodeCondition keys=type merge=type","config":"@~core.v1.NodeConfigStatus","daemonEndpoints":"@~core.v1.NodeDaemonEndpoints","declaredFeatures":"[s","features":"@~core.v1.NodeFeatures","images":"[@~core.v1.ContainerImage","nodeInfo":"@~core.v1.NodeSystemInfo","phase":"s","runtimeHandlers":"[@~core.v1.NodeRuntimeHandler","volumesAttached":"[@~core.v1.AttachedVolume","volumesInUse":"[s"}}
~core.v1.NodeSwapStatus {"properties":{"capacity":"l"}}
~core.v1.NodeSystemInfo {"properties":{"architecture":"s","bootID":"s","containerRuntimeVersion":"s","kernelVersion":"s","kubeProxyVersion":"s","kubeletVersion":"s","machineID":"s","operatingSystem":"s","osImage":"s","swap":"@~core.v1.NodeSwapStatus","systemUUID":"s"},"required":["machineID","systemUUID","bootID","kernelVersion","osImage","containerRuntimeVersion","kubeletVersion","kubeProxyVersion","operatingSystem","architecture"]}
~core.v1.ObjectFieldSelector {"properties":{"apiVersion":"s","fieldPath":"s"},"required":["fieldPath"],"atomic":true}
~core.v1.ObjectReference {"properties":{"apiVersion":"s","fieldPath":"s","kind":"s","name":"s","namespace":"s","resourceVersion":"s","uid":"s"},"atomic":true}
~core.v1.PersistentVolume {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~core.v1.PersistentVolumeSpec","status":"@~core.v1.PersistentVolumeStatus"}}
~core.v1.PersistentVolumeClaim {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~core.v1.PersistentVolumeClaimSpec","status":"@~core.v1.PersistentVolumeClaimStatus"}}
~core.v1.PersistentVolumeClaimCondition {"properties":{"lastProbeTime":"@^Time","lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~core.v1.PersistentVolumeClaimSpec {"properties":{"accessModes":"[s","dataSource":"@~core.v1.TypedLocalObjectReference","dataSourceRef":"@~core.v1.TypedObjectReference","resources":"@~core.v1.VolumeResourceRequirements","selector":"@^LabelSelector","storageClassName":"s","volumeAttributesClassName":"s","volumeMode":"s","volumeName":"s"}}
~core.v1.PersistentVolumeClaimStatus {"properties":{"accessModes":"[s","allocatedResourceStatuses":"{s","allocatedResources":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","capacity":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","conditions":"[@~core.v1.PersistentVolumeClaimCondition keys=type merge=type","currentVolumeAttributesClassName":"s","modifyVolumeStatus":"@~core.v1.ModifyVolumeStatus","phase":"s"}}
~core.v1.PersistentVolumeClaimTemplate {"properties":{"metadata":"@^ObjectMeta","spec":"@~core.v1.PersistentVolumeClaimSpec"},"required":["spec"]}
~core.v1.PersistentVolumeClaimVolumeSource {"properties":{"claimName":"s","readOnly":"b"},"required":["claimName"]}
~core.v1.PersistentVolumeSpec {"properties":{"accessModes":"[s","awsElasticBlockStore":"@~core.v1.AWSElasticBlockStoreVolumeSource","azureDisk":"@~core.v1.AzureDiskVolumeSource","azureFile":"@~core.v1.AzureFilePersistentVolumeSource","capacity":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","cephfs":"@~core.v1.CephFSPersistentVolumeSource","cinder":"@~core.v1.CinderPersistentVolumeSource","claimRef":"@~core.v1.ObjectReference","csi":"@~core.v1.CSIPersistentVolumeSource","fc":"@~core.v1.FCVolumeSource","flexVolume":"@~core.v1.FlexPersistentVolumeSource","flocker":"@~core.v1.FlockerVolumeSource","gcePersistentDisk":"@~core.v1.GCEPersistentDiskVolumeSource","glusterfs":"@~core.v1.GlusterfsPersistentVolumeSource","hostPath":"@~core.v1.HostPathVolumeSource","iscsi":"@~core.v1.ISCSIPersistentVolumeSource","local":"@~core.v1.LocalVolumeSource","mountOptions":"[s","nfs":"@~core.v1.NFSVolumeSource","nodeAffinity":"@~core.v1.VolumeNodeAffinity","persistentVolumeReclaimPolicy":"s","photonPersistentDisk":"@~core.v1.PhotonPersistentDiskVolumeSource","portworxVolume":"@~core.v1.PortworxVolumeSource","quobyte":"@~core.v1.QuobyteVolumeSource","rbd":"@~core.v1.RBDPersistentVolumeSource","scaleIO":"@~core.v1.ScaleIOPersistentVolumeSource","storageClassName":"s","storageos":"@~core.v1.StorageOSPersistentVolumeSource","volumeAttributesClassName":"s","volumeMode":"s","vsphereVolume":"@~core.v1.VsphereVirtualDiskVolumeSource"}}
~core.v1.PersistentVolumeStatus {"properties":{"lastPhaseTransitionTime":"@^Time","message":"s","phase":"s","reason":"s"}}
~core.v1.PhotonPersistentDiskVolumeSource {"properties":{"fsType":"s","pdID":"s"},"required":["pdID"]}
~core.v1.Pod {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~core.v1.PodSpec","status":"@~core.v1.PodStatus"}}
~core.v1.PodAffinity {"properties":{"preferredDuringSchedulingIgnoredDuringExecution":"[@~core.v1.WeightedPodAffinityTerm","requiredDuringSchedulingIgnoredDuringExecution":"[@~core.v1.PodAffinityTerm"}}
~core.v1.PodAffinityTerm {"properties":{"labelSelector":"@^LabelSelector","matchLabelKeys":"[s","mismatchLabelKeys":"[s","namespaceSelector":"@^LabelSelector","namespaces":"[s","topologyKey":"s"},"required":["topologyKey"]}
~core.v1.PodAntiAffinity {"properties":{"preferredDuringSchedulingIgnoredDuringExecution":"[@~core.v1.WeightedPodAffinityTerm","requiredDuringSchedulingIgnoredDuringExecution":"[@~core.v1.PodAffinityTerm"}}
~core.v1.PodCertificateProjection {"properties":{"certificateChainPath":"s","credentialBundlePath":"s","keyPath":"s","keyType":"s","maxExpirationSeconds":"i","signerName":"s","userAnnotations":"{s"},"required":["signerName","keyType"]}
~core.v1.PodCondition {"properties":{"lastProbeTime":"@^Time","lastTransitionTime":"@^Time","message":"s","observedGeneration":"l","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~core.v1.PodDNSConfig {"properties":{"nameservers":"[s","options":"[@~core.v1.PodDNSConfigOption","searches":"[s"}}
~core.v1.PodDNSConfigOption {"properties":{"name":"s","value":"s"}}
~core.v1.PodExtendedResourceClaimStatus {"properties":{"requestMappings":"[@~core.v1.ContainerExtendedResourceRequest","resourceClaimName":"s"},"required":["requestMappings","resourceClaimName"]}
~core.v1.PodIP {"properties":{"ip":"s"},"required":["ip"]}
~core.v1.PodOS {"properties":{"name":"s"},"required":["name"]}
~core.v1.PodReadinessGate {"properties":{"conditionType":"s"},"required":["conditionType"]}
~core.v1.PodResourceClaim {"properties":{"name":"s","resourceClaimName":"s","resourceClaimTemplateName":"s"},"required":["name"]}
~core.v1.PodResourceClaimStatus {"properties":{"name":"s","resourceClaimName":"s"},"required":["name"]}
~core.v1.PodSchedulingGate {"properties":{"name":"s"},"required":["name"]}
~core.v1.PodSchedulingGroup {"properties":{"podGroupName":"s"}}
~core.v1.PodSecurityContext {"properties":{"appArmorProfile":"@~core.v1.AppArmorProfile","fsGroup":"l","fsGroupChangePolicy":"s","runAsGroup":"l","runAsNonRoot":"b","runAsUser":"l","seLinuxChangePolicy":"s","seLinuxOptions":"@~core.v1.SELinuxOptions","seccompProfile":"@~core.v1.SeccompProfile","supplementalGroups":"[l","supplementalGroupsPolicy":"s","sysctls":"[@~core.v1.Sysctl","windowsOptions":"@~core.v1.WindowsSecurityContextOptions"}}
~core.v1.PodSpec {"properties":{"activeDeadlineSeconds":"l","affinity":"@~core.v1.Affinity","automountServiceAccountToken":"b","containers":"[@~core.v1.Container keys=name merge=name","dnsConfig":"@~core.v1.PodDNSConfig","dnsPolicy":"s","enableServiceLinks":"b","ephemeralContainers":"[@~core.v1.EphemeralContainer keys=name merge=name","hostAliases":"[@~core.v1.HostAlias keys=ip merge=ip","hostIPC":"b","hostNetwork":"b","hostPID":"b","hostUsers":"b","hostname":"s","hostnameOverride":"s","imagePullSecrets":"[@~core.v1.LocalObjectReference keys=name merge=name","initContainers":"[@~core.v1.Container keys=name merge=name","nodeName":"s","nodeSelector":"{s atomic","os":"@~core.v1.PodOS","overhead":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","preemptionPolicy":"s","priority":"i","priorityClassName":"s","readinessGates":"[@~core.v1.PodReadinessGate","resourceClaims":"[@~core.v1.PodResourceClaim keys=name merge=name retainKeys","resources":"@~core.v1.ResourceRequirements","restartPolicy":"s","runtimeClassName":"s","schedulerName":"s","schedulingGates":"[@~core.v1.PodSchedulingGate keys=name merge=name","schedulingGroup":"@~core.v1.PodSchedulingGroup","securityContext":"@~core.v1.PodSecurityContext","serviceAccount":"s","serviceAccountName":"s","setHostnameAsFQDN":"b","shareProcessNamespace":"b","subdomain":"s","terminationGracePeriodSeconds":"l","tolerations":"[@~core.v1.Toleration","topologySpreadConstraints":"[@~core.v1.TopologySpreadConstraint keys=topologyKey+whenUnsatisfiable merge=topologyKey","volumes":"[@~core.v1.Volume keys=name merge=name retainKeys"},"required":["containers"]}
~core.v1.PodStatus {"properties":{"allocatedResources":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","conditions":"[@~core.v1.PodCondition keys=type merge=type","containerStatuses":"[@~core.v1.ContainerStatus","ephemeralContainerStatuses":"[@~core.v1.ContainerStatus","extendedResourceClaimStatus":"@~core.v1.PodExtendedResourceClaimStatus","hostIP":"s","hostIPs":"[@~core.v1.HostIP merge=ip","initContainerStatuses":"[@~core.v1.ContainerStatus","message":"s","nodeAllocatableResourceClaimStatuses":"[@~core.v1.NodeAllocatableResourceClaimStatus","nominatedNodeName":"s","observedGeneration":"l","phase":"s","podIP":"s","podIPs":"[@~core.v1.PodIP keys=ip merge=ip","qosClass":"s","reason":"s","resize":"s","resourceClaimStatuses":"[@~core.v1.PodResourceClaimStatus keys=name merge=name retainKeys","resources":"@~core.v1.ResourceRequirements","startTime":"@^Time"}}
~core.v1.PodTemplate {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","template":"@~core.v1.PodTemplateSpec"}}
~core.v1.PodTemplateSpec {"properties":{"metadata":"@^ObjectMeta","spec":"@~core.v1.PodSpec"}}
~core.v1.PortStatus {"properties":{"error":"s","port":"i","protocol":"s"},"required":["port","protocol"]}
~core.v1.PortworxVolumeSource {"properties":{"fsType":"s","readOnly":"b","volumeID":"s"},"required":["volumeID"]}
~core.v1.PreferredSchedulingTerm {"properties":{"preference":"@~core.v1.NodeSelectorTerm","weight":"i"},"required":["weight","preference"]}
~core.v1.Probe {"properties":{"exec":"@~core.v1.ExecAction","failureThreshold":"i","grpc":"@~core.v1.GRPCAction","httpGet":"@~core.v1.HTTPGetAction","initialDelaySeconds":"i","periodSeconds":"i","successThreshold":"i","tcpSocket":"@~core.v1.TCPSocketAction","terminationGracePeriodSeconds":"l","timeoutSeconds":"i"}}
~core.v1.ProjectedVolumeSource {"properties":{"defaultMode":"i","sources":"[@~core.v1.VolumeProjection"}}
~core.v1.QuobyteVolumeSource {"properties":{"group":"s","readOnly":"b","registry":"s","tenant":"s","user":"s","volume":"s"},"required":["registry","volume"]}
~core.v1.RBDPersistentVolumeSource {"properties":{"fsType":"s","image":"s","keyring":"s","monitors":"[s","pool":"s","readOnly":"b","secretRef":"@~core.v1.SecretReference","user":"s"},"required":["monitors","image"]}
~core.v1.RBDVolumeSource {"properties":{"fsType":"s","image":"s","keyring":"s","monitors":"[s","pool":"s","readOnly":"b","secretRef":"@~core.v1.LocalObjectReference","user":"s"},"required":["monitors","image"]}
~core.v1.ReplicationController {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~core.v1.ReplicationControllerSpec","status":"@~core.v1.ReplicationControllerStatus"}}
~core.v1.ReplicationControllerCondition {"properties":{"lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"},"required":["type","status"]}
~core.v1.ReplicationControllerSpec {"properties":{"minReadySeconds":"i","replicas":"i","selector":"{s atomic","template":"@~core.v1.PodTemplateSpec"}}
~core.v1.ReplicationControllerStatus {"properties":{"availableReplicas":"i","conditions":"[@~core.v1.ReplicationControllerCondition keys=type merge=type","fullyLabeledReplicas":"i","observedGeneration":"l","readyReplicas":"i","replicas":"i"},"required":["replicas"]}
~core.v1.ResourceClaim {"properties":{"name":"s","request":"s"},"required":["name"]}
~core.v1.ResourceFieldSelector {"properties":{"containerName":"s","divisor":"@io.k8s.apimachinery.pkg.api.resource.Quantity","resource":"s"},"required":["resource"],"atomic":true}
~core.v1.ResourceHealth {"properties":{"health":"s","message":"s","resourceID":"s"},"required":["resourceID"]}
~core.v1.ResourceQuota {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~core.v1.ResourceQuotaSpec","status":"@~core.v1.ResourceQuotaStatus"}}
~core.v1.ResourceQuotaSpec {"properties":{"hard":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","scopeSelector":"@~core.v1.ScopeSelector","scopes":"[s"}}
~core.v1.ResourceQuotaStatus {"properties":{"hard":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","used":"{@io.k8s.apimachinery.pkg.api.resource.Quantity"}}
~core.v1.ResourceRequirements {"properties":{"claims":"[@~core.v1.ResourceClaim keys=name","limits":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","requests":"{@io.k8s.apimachinery.pkg.api.resource.Quantity"}}
~core.v1.ResourceStatus {"properties":{"name":"s","resources":"[@~core.v1.ResourceHealth keys=resourceID"},"required":["name"]}
~core.v1.SELinuxOptions {"properties":{"level":"s","role":"s","type":"s","user":"s"}}
~core.v1.ScaleIOPersistentVolumeSource {"properties":{"fsType":"s","gateway":"s","protectionDomain":"s","readOnly":"b","secretRef":"@~core.v1.SecretReference","sslEnabled":"b","storageMode":"s","storagePool":"s","system":"s","volumeName":"s"},"required":["gateway","system","secretRef"]}
~core.v1.ScaleIOVolumeSource {"properties":{"fsType":"s","gateway":"s","protectionDomain":"s","readOnly":"b","secretRef":"@~core.v1.LocalObjectReference","sslEnabled":"b","storageMode":"s","storagePool":"s","system":"s","volumeName":"s"},"required":["gateway","system","secretRef"]}
~core.v1.ScopeSelector {"properties":{"matchExpressions":"[@~core.v1.ScopedResourceSelectorRequirement"},"atomic":true}
~core.v1.ScopedResourceSelectorRequirement {"properties":{"operator":"s","scopeName":"s","values":"[s"},"required":["scopeName","operator"]}
~core.v1.SeccompProfile {"properties":{"localhostProfile":"s","type":"s"},"required":["type"]}
~core.v1.Secret {"properties":{"apiVersion":"s","data":"{y","immutable":"b","kind":"s","metadata":"@^ObjectMeta","stringData":"{s","type":"s"}}
~core.v1.SecretEnvSource {"properties":{"name":"s","optional":"b"}}
~core.v1.SecretKeySelector {"properties":{"key":"s","name":"s","optional":"b"},"required":["key"],"atomic":true}
~core.v1.SecretProjection {"properties":{"items":"[@~core.v1.KeyToPath","name":"s","optional":"b"}}
~core.v1.SecretReference {"properties":{"name":"s","namespace":"s"},"atomic":true}
~core.v1.SecretVolumeSource {"properties":{"defaultMode":"i","items":"[@~core.v1.KeyToPath","optional":"b","secretName":"s"}}
~core.v1.SecurityContext {"properties":{"allowPrivilegeEscalation":"b","appArmorProfile":"@~core.v1.AppArmorProfile","capabilities":"@~core.v1.Capabilities","privileged":"b","procMount":"s","readOnlyRootFilesystem":"b","runAsGroup":"l","runAsNonRoot":"b","runAsUser":"l","seLinuxOptions":"@~core.v1.SELinuxOptions","seccompProfile":"@~core.v1.SeccompProfile","windowsOptions":"@~core.v1.WindowsSecurityContextOptions"}}
~core.v1.Service {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~core.v1.ServiceSpec","status":"@~core.v1.ServiceStatus"}}
~core.v1.ServiceAccount {"properties":{"apiVersion":"s","automountServiceAccountToken":"b","imagePullSecrets":"[@~core.v1.LocalObjectReference","kind":"s","metadata":"@^ObjectMeta","secrets":"[@~core.v1.ObjectReference keys=name merge=name"}}
~core.v1.ServiceAccountTokenProjection {"properties":{"audience":"s","expirationSeconds":"l","path":"s"},"required":["path"]}
~core.v1.ServicePort {"properties":{"appProtocol":"s","name":"s","nodePort":"i","port":"i","protocol":"s","targetPort":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString"},"required":["port"]}
~core.v1.ServiceSpec {"properties":{"allocateLoadBalancerNodePorts":"b","clusterIP":"s","clusterIPs":"[s","externalIPs":"[s","externalName":"s","externalTrafficPolicy":"s","healthCheckNodePort":"i","internalTrafficPolicy":"s","ipFamilies":"[s","ipFamilyPolicy":"s","loadBalancerClass":"s","loadBalancerIP":"s","loadBalancerSourceRanges":"[s","ports":"[@~core.v1.ServicePort keys=port+protocol merge=port","publishNotReadyAddresses":"b","selector":"{s atomic","sessionAffinity":"s","sessionAffinityConfig":"@~core.v1.SessionAffinityConfig","trafficDistribution":"s","type":"s"}}
~core.v1.ServiceStatus {"properties":{"conditions":"[@^Condition keys=type merge=type","loadBalancer":"@~core.v1.LoadBalancerStatus"}}
~core.v1.SessionAffinityConfig {"properties":{"clientIP":"@~core.v1.ClientIPConfig"}}
~core.v1.SleepAction {"properties":{"seconds":"l"},"required":["seconds"]}
~core.v1.StorageOSPersistentVolumeSource {"properties":{"fsType":"s","readOnly":"b","secretRef":"@~core.v1.ObjectReference","volumeName":"s","volumeNamespace":"s"}}
~core.v1.StorageOSVolumeSource {"properties":{"fsType":"s","readOnly":"b","secretRef":"@~core.v1.LocalObjectReference","volumeName":"s","volumeNamespace":"s"}}
~core.v1.Sysctl {"properties":{"name":"s","value":"s"},"required":["name","value"]}
~core.v1.TCPSocketAction {"properties":{"host":"s","port":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString"},"required":["port"]}
~core.v1.Taint {"properties":{"effect":"s","key":"s","timeAdded":"@^Time","value":"s"},"required":["key","effect"]}
~core.v1.Toleration {"properties":{"effect":"s","key":"s","operator":"s","tolerationSeconds":"l","value":"s"}}
~core.v1.TopologySelectorLabelRequirement {"properties":{"key":"s","values":"[s"},"required":["key","values"]}
~core.v1.TopologySelectorTerm {"properties":{"matchLabelExpressions":"[@~core.v1.TopologySelectorLabelRequirement"},"atomic":true}
~core.v1.TopologySpreadConstraint {"properties":{"labelSelector":"@^LabelSelector","matchLabelKeys":"[s","maxSkew":"i","minDomains":"i","nodeAffinityPolicy":"s","nodeTaintsPolicy":"s","topologyKey":"s","whenUnsatisfiable":"s"},"required":["maxSkew","topologyKey","whenUnsatisfiable"]}
~core.v1.TypedLocalObjectReference {"properties":{"apiGroup":"s","kind":"s","name":"s"},"required":["kind","name"],"atomic":true}
~core.v1.TypedObjectReference {"properties":{"apiGroup":"s","kind":"s","name":"s","namespace":"s"},"required":["kind","name"]}
~core.v1.Volume {"properties":{"awsElasticBlockStore":"@~core.v1.AWSElasticBlockStoreVolumeSource","azureDisk":"@~core.v1.AzureDiskVolumeSource","azureFile":"@~core.v1.AzureFileVolumeSource","cephfs":"@~core.v1.CephFSVolumeSource","cinder":"@~core.v1.CinderVolumeSource","configMap":"@~core.v1.ConfigMapVolumeSource","csi":"@~core.v1.CSIVolumeSource","downwardAPI":"@~core.v1.DownwardAPIVolumeSource","emptyDir":"@~core.v1.EmptyDirVolumeSource","ephemeral":"@~core.v1.EphemeralVolumeSource","fc":"@~core.v1.FCVolumeSource","flexVolume":"@~core.v1.FlexVolumeSource","flocker":"@~core.v1.FlockerVolumeSource","gcePersistentDisk":"@~core.v1.GCEPersistentDiskVolumeSource","gitRepo":"@~core.v1.GitRepoVolumeSource","glusterfs":"@~core.v1.GlusterfsVolumeSource","hostPath":"@~core.v1.HostPathVolumeSource","image":"@~core.v1.ImageVolumeSource","iscsi":"@~core.v1.ISCSIVolumeSource","name":"s","nfs":"@~core.v1.NFSVolumeSource","persistentVolumeClaim":"@~core.v1.PersistentVolumeClaimVolumeSource","photonPersistentDisk":"@~core.v1.PhotonPersistentDiskVolumeSource","portworxVolume":"@~core.v1.PortworxVolumeSource","projected":"@~core.v1.ProjectedVolumeSource","quobyte":"@~core.v1.QuobyteVolumeSource","rbd":"@~core.v1.RBDVolumeSource","scaleIO":"@~core.v1.ScaleIOVolumeSource","secret":"@~core.v1.SecretVolumeSource","storageos":"@~core.v1.StorageOSVolumeSource","vsphereVolume":"@~core.v1.VsphereVirtualDiskVolumeSource"},"required":["name"]}
~core.v1.VolumeDevice {"properties":{"devicePath":"s","name":"s"},"required":["name","devicePath"]}
~core.v1.VolumeMount {"properties":{"mountPath":"s","mountPropagation":"s","name":"s","readOnly":"b","recursiveReadOnly":"s","subPath":"s","subPathExpr":"s"},"required":["name","mountPath"]}
~core.v1.VolumeMountStatus {"properties":{"mountPath":"s","name":"s","readOnly":"b","recursiveReadOnly":"s","volumeStatus":"@~core.v1.VolumeStatus"},"required":["name","mountPath"]}
~core.v1.VolumeNodeAffinity {"properties":{"required":"@~core.v1.NodeSelector"}}
~core.v1.VolumeProjection {"properties":{"clusterTrustBundle":"@~core.v1.ClusterTrustBundleProjection","configMap":"@~core.v1.ConfigMapProjection","downwardAPI":"@~core.v1.DownwardAPIProjection","podCertificate":"@~core.v1.PodCertificateProjection","secret":"@~core.v1.SecretProjection","serviceAccountToken":"@~core.v1.ServiceAccountTokenProjection"}}
~core.v1.VolumeResourceRequirements {"properties":{"limits":"{@io.k8s.apimachinery.pkg.api.resource.Quantity","requests":"{@io.k8s.apimachinery.pkg.api.resource.Quantity"}}
~core.v1.VolumeStatus {"properties":{"image":"@~core.v1.ImageVolumeStatus"}}
~core.v1.VsphereVirtualDiskVolumeSource {"properties":{"fsType":"s","storagePolicyID":"s","storagePolicyName":"s","volumePath":"s"},"required":["volumePath"]}
~core.v1.WeightedPodAffinityTerm {"properties":{"podAffinityTerm":"@~core.v1.PodAffinityTerm","weight":"i"},"required":["weight","podAffinityTerm"]}
~core.v1.WindowsSecurityContextOptions {"properties":{"gmsaCredentialSpec":"s","gmsaCredentialSpecName":"s","hostProcess":"b","runAsUserName":"s"}}
~discovery.v1.Endpoint {"properties":{"addresses":"[s set","conditions":"@~discovery.v1.EndpointConditions","deprecatedTopology":"{s","hints":"@~discovery.v1.EndpointHints","hostname":"s","nodeName":"s","targetRef":"@~core.v1.ObjectReference","zone":"s"},"required":["addresses"]}
~discovery.v1.EndpointConditions {"properties":{"ready":"b","serving":"b","terminating":"b"}}
~discovery.v1.EndpointHints {"properties":{"forNodes":"[@~discovery.v1.ForNode","forZones":"[@~discovery.v1.ForZone"}}
~discovery.v1.EndpointPort {"properties":{"appProtocol":"s","name":"s","port":"i","protocol":"s"},"atomic":true}
~discovery.v1.EndpointSlice {"properties":{"addressType":"s","apiVersion":"s","endpoints":"[@~discovery.v1.Endpoint","kind":"s","metadata":"@^ObjectMeta","ports":"[@~discovery.v1.EndpointPort"},"required":["addressType"]}
~discovery.v1.ForNode {"properties":{"name":"s"},"required":["name"]}
~discovery.v1.ForZone {"properties":{"name":"s"},"required":["name"]}
~events.v1.Event {"properties":{"action":"s","apiVersion":"s","deprecatedCount":"i","deprecatedFirstTimestamp":"@^Time","deprecatedLastTimestamp":"@^Time","deprecatedSource":"@~core.v1.EventSource","eventTime":"@^MicroTime","kind":"s","metadata":"@^ObjectMeta","note":"s","reason":"s","regarding":"@~core.v1.ObjectReference","related":"@~core.v1.ObjectReference","reportingController":"s","reportingInstance":"s","series":"@~events.v1.EventSeries","type":"s"},"required":["eventTime"]}
~events.v1.EventSeries {"properties":{"count":"i","lastObservedTime":"@^MicroTime"},"required":["count","lastObservedTime"]}
~flowcontrol.v1.ExemptPriorityLevelConfiguration {"properties":{"lendablePercent":"i","nominalConcurrencyShares":"i"}}
~flowcontrol.v1.FlowDistinguisherMethod {"properties":{"type":"s"},"required":["type"]}
~flowcontrol.v1.FlowSchema {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~flowcontrol.v1.FlowSchemaSpec","status":"@~flowcontrol.v1.FlowSchemaStatus"}}
~flowcontrol.v1.FlowSchemaCondition {"properties":{"lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"}}
~flowcontrol.v1.FlowSchemaSpec {"properties":{"distinguisherMethod":"@~flowcontrol.v1.FlowDistinguisherMethod","matchingPrecedence":"i","priorityLevelConfiguration":"@~flowcontrol.v1.PriorityLevelConfigurationReference","rules":"[@~flowcontrol.v1.PolicyRulesWithSubjects"},"required":["priorityLevelConfiguration"]}
~flowcontrol.v1.FlowSchemaStatus {"properties":{"conditions":"[@~flowcontrol.v1.FlowSchemaCondition keys=type merge=type"}}
~flowcontrol.v1.GroupSubject {"properties":{"name":"s"},"required":["name"]}
~flowcontrol.v1.LimitResponse {"properties":{"queuing":"@~flowcontrol.v1.QueuingConfiguration","type":"s"},"required":["type"]}
~flowcontrol.v1.LimitedPriorityLevelConfiguration {"properties":{"borrowingLimitPercent":"i","lendablePercent":"i","limitResponse":"@~flowcontrol.v1.LimitResponse","nominalConcurrencyShares":"i"}}
~flowcontrol.v1.NonResourcePolicyRule {"properties":{"nonResourceURLs":"[s set","verbs":"[s set"},"required":["verbs","nonResourceURLs"]}
~flowcontrol.v1.PolicyRulesWithSubjects {"properties":{"nonResourceRules":"[@~flowcontrol.v1.NonResourcePolicyRule","resourceRules":"[@~flowcontrol.v1.ResourcePolicyRule","subjects":"[@~flowcontrol.v1.Subject"},"required":["subjects"]}
~flowcontrol.v1.PriorityLevelConfiguration {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~flowcontrol.v1.PriorityLevelConfigurationSpec","status":"@~flowcontrol.v1.PriorityLevelConfigurationStatus"}}
~flowcontrol.v1.PriorityLevelConfigurationCondition {"properties":{"lastTransitionTime":"@^Time","message":"s","reason":"s","status":"s","type":"s"}}
~flowcontrol.v1.PriorityLevelConfigurationReference {"properties":{"name":"s"},"required":["name"]}
~flowcontrol.v1.PriorityLevelConfigurationSpec {"properties":{"exempt":"@~flowcontrol.v1.ExemptPriorityLevelConfiguration","limited":"@~flowcontrol.v1.LimitedPriorityLevelConfiguration","type":"s"},"required":["type"]}
~flowcontrol.v1.PriorityLevelConfigurationStatus {"properties":{"conditions":"[@~flowcontrol.v1.PriorityLevelConfigurationCondition keys=type merge=type"}}
~flowcontrol.v1.QueuingConfiguration {"properties":{"handSize":"i","queueLengthLimit":"i","queues":"i"}}
~flowcontrol.v1.ResourcePolicyRule {"properties":{"apiGroups":"[s set","clusterScope":"b","namespaces":"[s set","resources":"[s set","verbs":"[s set"},"required":["verbs","apiGroups","resources"]}
~flowcontrol.v1.ServiceAccountSubject {"properties":{"name":"s","namespace":"s"},"required":["namespace","name"]}
~flowcontrol.v1.Subject {"properties":{"group":"@~flowcontrol.v1.GroupSubject","kind":"s","serviceAccount":"@~flowcontrol.v1.ServiceAccountSubject","user":"@~flowcontrol.v1.UserSubject"},"required":["kind"]}
~flowcontrol.v1.UserSubject {"properties":{"name":"s"},"required":["name"]}
~networking.v1.HTTPIngressPath {"properties":{"backend":"@~networking.v1.IngressBackend","path":"s","pathType":"s"},"required":["pathType","backend"]}
~networking.v1.HTTPIngressRuleValue {"properties":{"paths":"[@~networking.v1.HTTPIngressPath"},"required":["paths"]}
~networking.v1.IPAddress {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~networking.v1.IPAddressSpec"},"required":["spec"]}
~networking.v1.IPAddressSpec {"properties":{"parentRef":"@~networking.v1.ParentReference"},"required":["parentRef"]}
~networking.v1.IPBlock {"properties":{"cidr":"s","except":"[s"},"required":["cidr"]}
~networking.v1.Ingress {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~networking.v1.IngressSpec","status":"@~networking.v1.IngressStatus"}}
~networking.v1.IngressBackend {"properties":{"resource":"@~core.v1.TypedLocalObjectReference","service":"@~networking.v1.IngressServiceBackend"}}
~networking.v1.IngressClass {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~networking.v1.IngressClassSpec"}}
~networking.v1.IngressClassParametersReference {"properties":{"apiGroup":"s","kind":"s","name":"s","namespace":"s","scope":"s"},"required":["kind","name"]}
~networking.v1.IngressClassSpec {"properties":{"controller":"s","parameters":"@~networking.v1.IngressClassParametersReference"}}
~networking.v1.IngressLoadBalancerIngress {"properties":{"hostname":"s","ip":"s","ports":"[@~networking.v1.IngressPortStatus"}}
~networking.v1.IngressLoadBalancerStatus {"properties":{"ingress":"[@~networking.v1.IngressLoadBalancerIngress"}}
~networking.v1.IngressPortStatus {"properties":{"error":"s","port":"i","protocol":"s"},"required":["port","protocol"]}
~networking.v1.IngressRule {"properties":{"host":"s","http":"@~networking.v1.HTTPIngressRuleValue"}}
~networking.v1.IngressServiceBackend {"properties":{"name":"s","port":"@~networking.v1.ServiceBackendPort"},"required":["name"]}
~networking.v1.IngressSpec {"properties":{"defaultBackend":"@~networking.v1.IngressBackend","ingressClassName":"s","rules":"[@~networking.v1.IngressRule","tls":"[@~networking.v1.IngressTLS"}}
~networking.v1.IngressStatus {"properties":{"loadBalancer":"@~networking.v1.IngressLoadBalancerStatus"}}
~networking.v1.IngressTLS {"properties":{"hosts":"[s","secretName":"s"}}
~networking.v1.NetworkPolicy {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~networking.v1.NetworkPolicySpec"}}
~networking.v1.NetworkPolicyEgressRule {"properties":{"ports":"[@~networking.v1.NetworkPolicyPort","to":"[@~networking.v1.NetworkPolicyPeer"}}
~networking.v1.NetworkPolicyIngressRule {"properties":{"from":"[@~networking.v1.NetworkPolicyPeer","ports":"[@~networking.v1.NetworkPolicyPort"}}
~networking.v1.NetworkPolicyPeer {"properties":{"ipBlock":"@~networking.v1.IPBlock","namespaceSelector":"@^LabelSelector","podSelector":"@^LabelSelector"}}
~networking.v1.NetworkPolicyPort {"properties":{"endPort":"i","port":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString","protocol":"s"}}
~networking.v1.NetworkPolicySpec {"properties":{"egress":"[@~networking.v1.NetworkPolicyEgressRule","ingress":"[@~networking.v1.NetworkPolicyIngressRule","podSelector":"@^LabelSelector","policyTypes":"[s"}}
~networking.v1.ParentReference {"properties":{"group":"s","name":"s","namespace":"s","resource":"s"},"required":["resource","name"]}
~networking.v1.ServiceBackendPort {"properties":{"name":"s","number":"i"},"atomic":true}
~networking.v1.ServiceCIDR {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~networking.v1.ServiceCIDRSpec","status":"@~networking.v1.ServiceCIDRStatus"}}
~networking.v1.ServiceCIDRSpec {"properties":{"cidrs":"[s"}}
~networking.v1.ServiceCIDRStatus {"properties":{"conditions":"[@^Condition keys=type merge=type"}}
~node.v1.Overhead {"properties":{"podFixed":"{@io.k8s.apimachinery.pkg.api.resource.Quantity"}}
~node.v1.RuntimeClass {"properties":{"apiVersion":"s","handler":"s","kind":"s","metadata":"@^ObjectMeta","overhead":"@~node.v1.Overhead","scheduling":"@~node.v1.Scheduling"},"required":["handler"]}
~node.v1.Scheduling {"properties":{"nodeSelector":"{s atomic","tolerations":"[@~core.v1.Toleration"}}
~policy.v1.Eviction {"properties":{"apiVersion":"s","deleteOptions":"@^DeleteOptions","kind":"s","metadata":"@^ObjectMeta"}}
~policy.v1.PodDisruptionBudget {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~policy.v1.PodDisruptionBudgetSpec","status":"@~policy.v1.PodDisruptionBudgetStatus"}}
~policy.v1.PodDisruptionBudgetSpec {"properties":{"maxUnavailable":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString","minAvailable":"@io.k8s.apimachinery.pkg.util.intstr.IntOrString","selector":"@^LabelSelector replace","unhealthyPodEvictionPolicy":"s"}}
~policy.v1.PodDisruptionBudgetStatus {"properties":{"conditions":"[@^Condition keys=type merge=type","currentHealthy":"i","desiredHealthy":"i","disruptedPods":"{@^Time","disruptionsAllowed":"i","expectedPods":"i","observedGeneration":"l"}}
~rbac.v1.AggregationRule {"properties":{"clusterRoleSelectors":"[@^LabelSelector"}}
~rbac.v1.ClusterRole {"properties":{"aggregationRule":"@~rbac.v1.AggregationRule","apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","rules":"[@~rbac.v1.PolicyRule"}}
~rbac.v1.ClusterRoleBinding {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","roleRef":"@~rbac.v1.RoleRef","subjects":"[@~rbac.v1.Subject"},"required":["roleRef"]}
~rbac.v1.PolicyRule {"properties":{"apiGroups":"[s","nonResourceURLs":"[s","resourceNames":"[s","resources":"[s","verbs":"[s"},"required":["verbs"]}
~rbac.v1.Role {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","rules":"[@~rbac.v1.PolicyRule"}}
~rbac.v1.RoleBinding {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","roleRef":"@~rbac.v1.RoleRef","subjects":"[@~rbac.v1.Subject"},"required":["roleRef"]}
~rbac.v1.RoleRef {"properties":{"apiGroup":"s","kind":"s","name":"s"},"required":["kind","name"],"atomic":true}
~rbac.v1.Subject {"properties":{"apiGroup":"s","kind":"s","name":"s","namespace":"s"},"required":["kind","name"],"atomic":true}
~scheduling.v1.PriorityClass {"properties":{"apiVersion":"s","description":"s","globalDefault":"b","kind":"s","metadata":"@^ObjectMeta","preemptionPolicy":"s","value":"i"}}
~storage.v1.CSIDriver {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~storage.v1.CSIDriverSpec"},"required":["spec"]}
~storage.v1.CSIDriverSpec {"properties":{"attachRequired":"b","fsGroupPolicy":"s","nodeAllocatableUpdatePeriodSeconds":"l","podInfoOnMount":"b","preventPodSchedulingIfMissing":"b","requiresRepublish":"b","seLinuxMount":"b","serviceAccountTokenInSecrets":"b","storageCapacity":"b","tokenRequests":"[@~storage.v1.TokenRequest","volumeLifecycleModes":"[s set"}}
~storage.v1.CSINode {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~storage.v1.CSINodeSpec"},"required":["spec"]}
~storage.v1.CSINodeDriver {"properties":{"allocatable":"@~storage.v1.VolumeNodeResources","name":"s","nodeID":"s","topologyKeys":"[s"},"required":["name","nodeID"]}
~storage.v1.CSINodeSpec {"properties":{"drivers":"[@~storage.v1.CSINodeDriver keys=name merge=name"},"required":["drivers"]}
~storage.v1.CSIStorageCapacity {"properties":{"apiVersion":"s","capacity":"@io.k8s.apimachinery.pkg.api.resource.Quantity","kind":"s","maximumVolumeSize":"@io.k8s.apimachinery.pkg.api.resource.Quantity","metadata":"@^ObjectMeta","nodeTopology":"@^LabelSelector","storageClassName":"s"},"required":["storageClassName"]}
~storage.v1.StorageClass {"properties":{"allowVolumeExpansion":"b","allowedTopologies":"[@~core.v1.TopologySelectorTerm","apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","mountOptions":"[s","parameters":"{s","provisioner":"s","reclaimPolicy":"s","volumeBindingMode":"s"},"required":["provisioner"]}
~storage.v1.TokenRequest {"properties":{"audience":"s","expirationSeconds":"l"},"required":["audience"]}
~storage.v1.VolumeAttachment {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@~storage.v1.VolumeAttachmentSpec","status":"@~storage.v1.VolumeAttachmentStatus"},"required":["spec"]}
~storage.v1.VolumeAttachmentSource {"properties":{"inlineVolumeSpec":"@~core.v1.PersistentVolumeSpec","persistentVolumeName":"s"}}
~storage.v1.VolumeAttachmentSpec {"properties":{"attacher":"s","nodeName":"s","source":"@~storage.v1.VolumeAttachmentSource"},"required":["attacher","source","nodeName"]}
~storage.v1.VolumeAttachmentStatus {"properties":{"attachError":"@~storage.v1.VolumeError","attached":"b","attachmentMetadata":"{s","detachError":"@~storage.v1.VolumeError"},"required":["attached"]}
~storage.v1.VolumeAttributesClass {"properties":{"apiVersion":"s","driverName":"s","kind":"s","metadata":"@^ObjectMeta","parameters":"{s"},"required":["driverName"]}
~storage.v1.VolumeError {"properties":{"errorCode":"i","message":"s","time":"@^Time"}}
~storage.v1.VolumeNodeResources {"properties":{"count":"i"}}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition {"properties":{"description":"s","format":"s","jsonPath":"s","name":"s","priority":"i","type":"s"},"required":["name","type","jsonPath"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion {"properties":{"strategy":"s","webhook":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion"},"required":["strategy"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition {"properties":{"apiVersion":"s","kind":"s","metadata":"@^ObjectMeta","spec":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec","status":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus"},"required":["spec"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition {"properties":{"lastTransitionTime":"@^Time","message":"s","observedGeneration":"l","reason":"s","status":"s","type":"s"},"required":["type","status"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames {"properties":{"categories":"[s","kind":"s","listKind":"s","plural":"s","shortNames":"[s","singular":"s"},"required":["plural","kind"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec {"properties":{"conversion":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion","group":"s","names":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames","preserveUnknownFields":"b","scope":"s","versions":"[@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion"},"required":["group","names","scope","versions"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus {"properties":{"acceptedNames":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames","conditions":"[@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition keys=type","observedGeneration":"l","storedVersions":"[s"}}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion {"properties":{"additionalPrinterColumns":"[@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition","deprecated":"b","deprecationWarning":"s","name":"s","schema":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation","selectableFields":"[@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField","served":"b","storage":"b","subresources":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources"},"required":["name","served","storage"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale {"properties":{"labelSelectorPath":"s","specReplicasPath":"s","statusReplicasPath":"s"},"required":["specReplicasPath","statusReplicasPath"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus {"properties":{},"scalar":"object"}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources {"properties":{"scale":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale","status":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus"}}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation {"properties":{"openAPIV3Schema":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"}}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation {"properties":{"description":"s","url":"s"}}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON {"properties":{},"scalar":"object"}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps {"properties":{"$ref":"s","$schema":"s","additionalItems":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool","additionalProperties":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool","allOf":"[@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps","anyOf":"[@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps","default":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON","definitions":"{@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps","dependencies":"{@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray","description":"s","enum":"[@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON","example":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON","exclusiveMaximum":"b","exclusiveMinimum":"b","externalDocs":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation","format":"s","id":"s","items":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray","maxItems":"l","maxLength":"l","maxProperties":"l","maximum":"d","minItems":"l","minLength":"l","minProperties":"l","minimum":"d","multipleOf":"d","not":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps","nullable":"b","oneOf":"[@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps","pattern":"s","patternProperties":"{@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps","properties":"{@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps","required":"[s","title":"s","type":"s","uniqueItems":"b","x-kubernetes-embedded-resource":"b","x-kubernetes-int-or-string":"b","x-kubernetes-list-map-keys":"[s","x-kubernetes-list-type":"s","x-kubernetes-map-type":"s","x-kubernetes-preserve-unknown-fields":"b","x-kubernetes-validations":"[@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule keys=rule merge=rule"}}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray {"properties":{},"scalar":"object"}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool {"properties":{},"scalar":"object"}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray {"properties":{},"scalar":"object"}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField {"properties":{"jsonPath":"s"},"required":["jsonPath"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference {"properties":{"name":"s","namespace":"s","path":"s","port":"i"},"required":["namespace","name"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule {"properties":{"fieldPath":"s","message":"s","messageExpression":"s","optionalOldSelf":"b","reason":"s","rule":"s"},"required":["rule"]}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig {"properties":{"caBundle":"y","service":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference","url":"s"}}
io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion {"properties":{"clientConfig":"@io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig","conversionReviewVersions":"[s"},"required":["conversionReviewVersions"]}
io.k8s.apimachinery.pkg.api.resource.Quantity {"properties":{},"scalar":"string"}
^Condition {"properties":{"lastTransitionTime":"@^Time","message":"s","observedGeneration":"l","reason":"s","status":"s","type":"s"},"required":["type","status","lastTransitionTime","reason","message"]}
^DeleteOptions {"properties":{"apiVersion":"s","dryRun":"[s","gracePeriodSeconds":"l","ignoreStoreReadErrorWithClusterBreakingPotential":"b","kind":"s","orphanDependents":"b","preconditions":"@^Preconditions","propagationPolicy":"s"}}
^FieldSelectorRequirement {"properties":{"key":"s","operator":"s","values":"[s"},"required":["key","operator"]}
^FieldsV1 {"properties":{},"scalar":"object"}
^LabelSelector {"properties":{"matchExpressions":"[@^LabelSelectorRequirement","matchLabels":"{s"},"atomic":true}
^LabelSelectorRequirement {"properties":{"key":"s","operator":"s","values":"[s"},"required":["key","operator"]}
^ListMeta {"properties":{"continue":"s","remainingItemCount":"l","resourceVersion":"s","selfLink":"s","shardInfo":"@^ShardInfo"}}
^ManagedFieldsEntry {"properties":{"apiVersion":"s","fieldsType":"s","fieldsV1":"@^FieldsV1","manager":"s","operation":"s","subresource":"s","time":"@^Time"}}
^MicroTime {"properties":{},"scalar":"date-time"}
^ObjectMeta {"properties":{"annotations":"{s","creationTimestamp":"@^Time","deletionGracePeriodSeconds":"l","deletionTimestamp":"@^Time","finalizers":"[s set merge=","generateName":"s","generation":"l","labels":"{s","managedFields":"[@^ManagedFieldsEntry","name":"s","namespace":"s","ownerReferences":"[@^OwnerReference keys=uid merge=uid","resourceVersion":"s","selfLink":"s","uid":"s"}}
^OwnerReference {"properties":{"apiVersion":"s","blockOwnerDeletion":"b","controller":"b","kind":"s","name":"s","uid":"s"},"required":["apiVersion","kind","name","uid"],"atomic":true}
^Preconditions {"properties":{"resourceVersion":"s","uid":"s"}}
^ShardInfo {"properties":{"selector":"s"},"required":["selector"]}
^Status {"properties":{"apiVersion":"s","code":"i","details":"@^StatusDetails","kind":"s","message":"s","metadata":"@^ListMeta","reason":"s","status":"s"}}
^StatusCause {"properties":{"field":"s","message":"s","reason":"s"}}
^StatusDetails {"properties":{"causes":"[@^StatusCause","group":"s","kind":"s","name":"s","retryAfterSeconds":"i","uid":"s"}}
^Time {"properties":{},"scalar":"date-time"}
io.k8s.apimachinery.pkg.runtime.RawExtension {"properties":{},"scalar":"object"}
io.k8s.apimachinery.pkg.util.intstr.IntOrString {"properties":{},"scalar":"int-or-string"}
`;
