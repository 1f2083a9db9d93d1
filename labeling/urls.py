"""Routes of the room `labeling`: pages and API."""

from django.urls import URLPattern, URLResolver, path

from labeling import api, assist_api, files_api, offset_api, pages, review_api, samples_api, task_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("label/<uuid:pk>/", pages.label, name="label"),
    path("api/label-sets/", api.label_sets, name="api-label-sets"),
    path("api/label-sets/<uuid:pk>/", api.label_set, name="api-label-set"),
    path("api/label-sets/<uuid:pk>/deletion", api.deletion, name="api-label-set-deletion"),
    path("api/label-sets/<uuid:pk>/statistics", api.statistics, name="api-label-set-statistics"),
    path("label/<uuid:pk>/samples/", pages.samples, name="label-samples"),
    path("api/label-sets/<uuid:pk>/samples", samples_api.overview, name="api-label-set-samples"),
    path("api/label-sets/<uuid:pk>/problems", samples_api.problems, name="api-label-set-problems"),
    path("api/label-sets/<uuid:pk>/classes/parts", samples_api.parts, name="api-label-set-class-parts"),
    path("api/label-sets/<uuid:pk>/classes/merge", samples_api.merge, name="api-label-set-class-merge"),
    path("api/label-sets/<uuid:pk>/classes/split", samples_api.split, name="api-label-set-class-split"),
    path("api/label-sets/<uuid:pk>/imports", files_api.imports, name="api-label-set-imports"),
    path("api/label-sets/<uuid:pk>/exports", files_api.exports, name="api-label-set-exports"),
    path("api/label-sets/<uuid:pk>/offsets", offset_api.offset_list, name="api-label-set-offsets"),
    path("api/label-sets/<uuid:pk>/tasks/", task_api.tasks, name="api-label-set-tasks"),
    path("api/label-sets/<uuid:pk>/tasks/preview", task_api.preview, name="api-label-set-tasks-preview"),
    path("api/label-sets/<uuid:pk>/tasks/next", task_api.next_task, name="api-label-set-tasks-next"),
    path("api/label-sets/<uuid:pk>/tasks/progress", task_api.progress, name="api-label-set-tasks-progress"),
    path("api/label-sets/<uuid:pk>/edits", task_api.edits, name="api-label-set-edits"),
    path("api/label-sets/<uuid:pk>/proposals", task_api.proposals, name="api-label-set-proposals"),
    path("api/label-sets/<uuid:pk>/review/stream", review_api.stream, name="api-label-set-review-stream"),
    path("api/label-sets/<uuid:pk>/review/accept", review_api.accept, name="api-label-set-review-accept"),
    path("api/label-sets/<uuid:pk>/review/figures", review_api.figures, name="api-label-set-review-figures"),
    path("api/label-sets/<uuid:pk>/comments", review_api.comments, name="api-label-set-comments"),
    path("api/label-sets/<uuid:pk>/assist", assist_api.assist, name="api-label-set-assist"),
    path("api/comments/<uuid:pk>/", review_api.comment, name="api-comment"),
    path("api/tasks/<uuid:pk>/", task_api.task, name="api-task"),
    path("api/tasks/<uuid:pk>/work", task_api.work, name="api-task-work"),
    path("api/tasks/<uuid:pk>/review", task_api.review, name="api-task-review"),
    path("api/proposals/<uuid:pk>/", task_api.proposal, name="api-proposal"),
]
